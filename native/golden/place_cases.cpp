// This file handles the kinds inpaint_checkpoint, dual_inpaint, blend and paste_back.
#include <ATen/core/grad_mode.h>

#include <cctype>

#include "dual/dual_unet.h"
#include "dual/folded_unet.h"
#include "golden/shared_models.h"
#include "place/paste_back.h"
#include "sample/denoise.h"

namespace dan::golden {

namespace {

// Calls `body` with each form of the dual model.
void onBothUnets(const model::BaseModel& base, const dual::Adapter& adapter,
                 const std::function<void(const dual::PairModel&)>& body) {
  body(dual::DualUnet(*base.unet, adapter));
  const dual::FoldedAdapter folded(*base.unet, adapter);
  body(dual::FoldedUnet(*base.unet, folded));
}

void runInpaintCheckpoint(Case& test) {
  const at::NoGradGuard noGrad;
  model::BaseOptions options;
  options.source.path = test.path(test.params().at("checkpoint"));
  options.source.configFolder = test.path(test.params().at("config"));
  const auto base = model::loadBaseModel(options, test.device(), at::kFloat);
  const at::Tensor sample = test.input("sample");
  const at::Tensor t = at::full({sample.size(0)}, test.params().at("timestep").get<double>(), at::kFloat);
  test.expect("noise_pred", base->unet->forward(sample, t, test.input("encoder_hidden_states")));
}

void runDualInpaint(Case& test) {
  const at::NoGradGuard noGrad;
  const model::BaseModel& base = baseOf(test);
  const auto adapter = adapterOf(test);
  const model::InpaintCondition condition{test.input("mask"), test.input("masked_latents")};
  const at::Tensor timesteps = test.input("timesteps").repeat_interleave(dual::kNumBranches);
  onBothUnets(base, *adapter, [&](const dual::PairModel& unet) {
    test.expect("noise_pred", unet.forward(condition.appendTo(test.input("noisy_latents")), timesteps,
                                           test.input("encoder_hidden_states"), nullptr));
  });
}

void runBlend(Case& test) {
  const at::NoGradGuard noGrad;
  const auto& params = test.params();
  const model::BaseModel& base = baseOf(test);
  const auto adapter = adapterOf(test);
  const int64_t steps = params.at("num_inference_steps");
  const double strength = params.at("strength");
  std::string name = params.at("scheduler");
  for (char& c : name) c = static_cast<char>(std::tolower(c));
  sample::DenoiseInputs inputs;
  inputs.initialLatents = test.input("initial_latents");
  inputs.encoderHiddenStates = test.input("encoder_hidden_states");
  inputs.guidanceScale = params.at("guidance_scale");
  inputs.ground = {test.input("known_latents"), test.input("known_noise"), sample::forBranches(test.input("place"))};
  if (strength < 1) inputs.layout = test.input("layout_latents");
  onBothUnets(base, *adapter, [&](const dual::PairModel& unet) {
    const auto scheduler = diffusion::makeScheduler(name, base.schedule, steps, params.at("eta"));
    scheduler->keepLast(sample::remainingSteps(strength, steps));
    std::vector<at::Tensor> trajectory;
    inputs.onStep = [&](size_t, size_t, const at::Tensor& latents) { trajectory.push_back(latents); };
    test.expect("start", sample::startLatents(*scheduler, inputs));
    test.expect("final_latents", sample::denoise(unet, *scheduler, inputs, Task()));
    test.expect("latents", at::stack(trajectory));
    test.expect("timesteps", at::tensor(scheduler->timesteps(), at::kDouble));
  });
}

void runPasteBack(Case& test) {
  const at::Tensor change = (test.input("result") - test.input("reconstruction")).permute({1, 2, 0});
  for (const at::ScalarType precision : {at::kDouble, at::kFloat}) {
    test.expect("output",
                place::withChange(test.input("photograph"), change.to(precision), test.input("soft").to(precision)));
  }
}

}  // namespace

void addPlaceHandlers(Handlers& handlers) {
  handlers["inpaint_checkpoint"] = {runInpaintCheckpoint, kOnDevice};
  handlers["dual_inpaint"] = {runDualInpaint, kOnDevice};
  handlers["blend"] = {runBlend, kOnDevice};
  handlers["paste_back"] = {runPasteBack};
}

}  // namespace dan::golden
