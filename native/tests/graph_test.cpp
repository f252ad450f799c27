// GraphedUnet's own part, on services whose graphs run the recorded work again: what CUDA's do, without CUDA. On the
// stand-in device, what CUDA could not record is refused.
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "dual/graphed_unet.h"
#include "model/base_model.h"
#include "tests/stand_in_device.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

class Rerun : public CapturedGraph {
 public:
  explicit Rerun(std::function<void()> work) : work_(std::move(work)) { work_(); }
  void replay() override { work_(); }

 private:
  std::function<void()> work_;
};

class RerunServices : public DeviceServices {
 public:
  int captures = 0;
  DeviceDescription describe(at::Device) const override { return {}; }
  int64_t count() const override { return 1; }
  DeviceMemory memory(at::Device) const override { return {}; }
  void resetPeak(at::Device) override {}
  void releaseCache() override {}
  void useOwnStream(at::Device) override {}
  void synchronize(at::Device) override {}
  std::unique_ptr<DeviceMark> mark(at::Device) override { return nullptr; }
  std::unique_ptr<CapturedGraph> capture(at::Device, const std::function<void()>& work) override {
    ++captures;
    const StandInRecording recording;
    return std::make_unique<Rerun>(work);
  }
};

void expectGraphsPredict(at::Device device) {
  const at::NoGradGuard noGrad;
  const auto base = model::loadBaseModel(fixture("tiny-sd"), device, at::kFloat);
  const dual::AdapterSettings settings{3, dual::BackgroundMode::kAdd, 1.0};
  const auto& text = base->textEncoder->config();
  const dual::Adapter adapter(dual::Adapter::initialTensors(settings, *base->unet, text, makeGenerator(1)), settings,
                              *base->unet, text, "a test");
  const dual::FoldedAdapter folded(*base->unet, adapter);
  const dual::FoldedUnet plain(*base->unet, folded);
  RerunServices services;
  dual::GraphedUnet graphed(*base->unet, folded, services);

  at::Generator generator = makeGenerator(2);
  const auto randomly = [&](int64_t rows, int64_t a, int64_t b) { return randn({rows, a, b}, generator); };
  const int64_t width = base->unet->config().crossAttentionDim;
  const at::Tensor prompt = randomly(4, 77, width), otherPrompt = randomly(4, 77, width),
                   onePair = randomly(2, 77, width);
  // In turns: another prompt, another shape, a background, and back; each input only for the time of its call.
  const std::vector<std::tuple<at::Tensor, int64_t, bool>> calls = {
      {prompt, 8, false},  {prompt, 8, false}, {otherPrompt, 8, false}, {onePair, 8, false},
      {prompt, 16, false}, {prompt, 8, true},  {otherPrompt, 8, true},  {prompt, 8, false}};
  std::vector<at::Tensor> predictions, expected;
  for (const auto& [states, side, hasBackground] : calls) {
    const int64_t rows = states.size(0);
    const at::Tensor latents = randn({rows, 4, side, side}, generator);
    const at::Tensor fractions = at::full({rows}, 100.5 + static_cast<double>(predictions.size()));
    const at::Tensor timesteps = predictions.empty() ? fractions.to(at::kLong) : fractions;
    dual::BackgroundFeatures features;
    if (hasBackground) {
      features = plain.backgroundFeatures(randn({rows / 2, 4, side, side}, generator), timesteps.slice(0, 0, rows / 2),
                                          states.slice(0, 0, rows / 2));
    }
    const dual::BackgroundFeatures* background = hasBackground ? &features : nullptr;
    predictions.push_back(graphed.forward(latents, timesteps, states, background));
    expected.push_back(plain.forward(latents, timesteps, states, background).clone());
  }
  // Compared at the end: no prediction is where a later one is written.
  for (size_t i = 0; i < expected.size(); ++i) {
    expectClose(predictions[i], expected[i], 1e-5, 1e-5, c10::str("call ", i));
  }
  EXPECT(services.captures == 4);  // 4 rows of 8 x 8, 2 rows, 16 x 16, and with a background
}

}  // namespace

DAN_TEST(graphs_predict_what_the_folded_unet_does) {
  expectGraphsPredict(at::kCPU);
  expectGraphsPredict(standInDevice());
}

}  // namespace dan::tests
