// These tests cover GraphedUnet without CUDA. The graphs of the stand-in device replay on the memory that they
// recorded.
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "dual/graphed_unet.h"
#include "model/base_model.h"
#include "tests/stand_in_device.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

class StandInServices : public DeviceServices {
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
    return std::make_unique<StandInGraph>(work);
  }
};

}  // namespace

DAN_TEST(graphs_predict_what_the_folded_unet_does) {
  const at::Device device = standInDevice();
  const at::NoGradGuard noGrad;
  const auto base = model::loadBaseModel(fixture("tiny-sd"), device, at::kFloat);
  const dual::AdapterSettings settings{3, dual::BackgroundMode::kAdd, 1.0};
  const auto& encoder = base->textEncoder->config();
  const dual::Adapter adapter(dual::Adapter::initialTensors(settings, *base->unet, encoder, makeGenerator(1)), settings,
                              *base->unet, encoder, "a test");
  const dual::FoldedAdapter folded(*base->unet, adapter);
  const dual::FoldedUnet plain(*base->unet, folded);
  StandInServices services;
  dual::GraphedUnet graphed(*base->unet, folded, services);

  at::Generator generator = makeGenerator(2);
  const auto states = [&](int64_t rows, int64_t tokens) {
    return randn({rows, tokens, base->unet->config().crossAttentionDim}, generator);
  };
  const at::Tensor prompt = states(4, 77), otherPrompt = states(4, 77), onePair = states(2, 77), brief = states(4, 20);
  // The calls alternate between prompts, shapes, numbers of tokens and backgrounds, and return to earlier ones. Each
  // input lives only during its call.
  const std::vector<std::tuple<at::Tensor, int64_t, bool>> calls = {
      {prompt, 8, false},  {prompt, 8, false},     {otherPrompt, 8, false}, {onePair, 8, false},
      {prompt, 16, false}, {brief, 8, false},      {prompt, 8, false},      {prompt, 8, true},
      {brief, 8, true},    {otherPrompt, 8, true}, {otherPrompt, 8, false}, {brief, 8, false}};
  std::vector<at::Tensor> predictions, expected;
  for (const auto& [text, side, hasBackground] : calls) {
    const int64_t rows = text.size(0);
    at::Tensor latents = randn({rows, 4, side, side}, generator);
    // A caller may pass latents of another precision.
    if (predictions.size() == 1) latents = latents.to(at::kDouble);
    const at::Tensor fractions = at::full({rows}, 100.5 + static_cast<double>(predictions.size()));
    const at::Tensor timesteps = predictions.empty() ? fractions.to(at::kLong) : fractions;
    dual::BackgroundFeatures features;
    if (hasBackground) {
      features = plain.backgroundFeatures(randn({rows / 2, 4, side, side}, generator), timesteps.slice(0, 0, rows / 2),
                                          text.slice(0, 0, rows / 2));
    }
    const dual::BackgroundFeatures* background = hasBackground ? &features : nullptr;
    predictions.push_back(graphed.forward(latents, timesteps, text, background));
    expected.push_back(plain.forward(latents, timesteps, text, background).clone());
  }
  // We compare at the end, so a prediction that a later call overwrote would fail.
  for (size_t i = 0; i < expected.size(); ++i) {
    expectClose(predictions[i], expected[i], 1e-5, 1e-5, c10::str("call ", i));
  }
  // The captures are 4 rows of 8 x 8, another precision, 2 rows, 16 x 16, 20 tokens, a background, and a background
  // with 20 tokens.
  EXPECT(services.captures == 7);
}

DAN_TEST(a_replay_reads_and_writes_the_memory_that_was_recorded) {
  const at::Device device = standInDevice();
  const at::Tensor x = at::full({2}, 3.0).to(device);
  at::Tensor factor = at::full({2}, 2.0).to(device), product;
  StandInGraph graph([&] { product = (x * factor).add_(1); });
  factor = at::full({2}, 5.0).to(device);  // The graph still uses the old tensor.
  x.fill_(4);
  graph.replay();
  EXPECT(product.cpu().equal(at::full({2}, 9.0)));
}

}  // namespace dan::tests
