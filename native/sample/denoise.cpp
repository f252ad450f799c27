#include "sample/denoise.h"

#include <ATen/core/grad_mode.h>

namespace dan::sample {

namespace {

// Of all rows, or of the conditional half alone.
dual::BackgroundFeatures backgroundFeatures(const dual::PairModel& unet, const DenoiseInputs& inputs, size_t call,
                                            double timestep, bool halved) {
  const at::Tensor background = inputs.noisyBackground(call, timestep);
  // Each background's pass has the global prompt of the first pair that shows it.
  std::vector<int64_t> firstPair(static_cast<size_t>(background.size(0)), -1);
  for (size_t pair = inputs.backgroundOfPair.size(); pair-- > 0;) {
    firstPair.at(static_cast<size_t>(inputs.backgroundOfPair[pair])) = static_cast<int64_t>(pair);
  }
  const auto rows = [&](const std::vector<int64_t>& numbers) {
    return at::tensor(numbers, background.options().dtype(at::kLong));
  };
  const at::Tensor context =
      dual::unpackBranches(inputs.encoderHiddenStates).select(1, dual::kGlobal).index_select(0, rows(firstPair));
  const at::Tensor t = at::full({background.size(0)}, timestep, background.options());
  dual::BackgroundFeatures features = unet.backgroundFeatures(background, t, context);
  at::Tensor ofPair = rows(inputs.backgroundOfPair);
  if (halved) ofPair = ofPair.chunk(2)[1];
  for (auto& [name, feature] : features) feature = feature.index_select(0, ofPair);
  return features;
}

}  // namespace

at::Tensor denoiseStep(const dual::PairModel& unet, diffusion::Scheduler& scheduler, const DenoiseInputs& inputs,
                       size_t call, const at::Tensor& latents) {
  const at::NoGradGuard noGrad;
  const double timestep = scheduler.timesteps().at(call);
  const bool mayGuide = inputs.guidanceScale > 1.0;
  const bool guided = mayGuide && timestep >= inputs.guidedFrom && timestep <= inputs.guidedTo;
  const bool halved = mayGuide && !guided;
  const at::Tensor scaled = scheduler.scaleModelInput(latents, call);
  const at::Tensor input = guided ? at::cat({scaled, scaled}) : scaled;
  const at::Tensor t = at::full({input.size(0)}, timestep, input.options());
  dual::BackgroundFeatures features;
  if (inputs.noisyBackground) features = backgroundFeatures(unet, inputs, call, timestep, halved);
  at::Tensor prediction = unet.forward(input, t, halved ? inputs.conditionalStates : inputs.encoderHiddenStates,
                                       inputs.noisyBackground ? &features : nullptr)
                              .to(at::kFloat);
  if (guided) {
    const auto halves = prediction.chunk(2);
    prediction = halves[0] + inputs.guidanceScale * (halves[1] - halves[0]);
  }
  return scheduler.step(prediction, call, latents, inputs.noise);
}

at::Tensor denoise(const dual::PairModel& unet, diffusion::Scheduler& scheduler, const DenoiseInputs& inputs,
                   const Task& task) {
  const size_t calls = scheduler.timesteps().size();
  at::Tensor latents = inputs.initialLatents * scheduler.initNoiseSigma();
  for (size_t i = 0; i < calls; ++i) {
    task.checkCancelled();
    latents = denoiseStep(unet, scheduler, inputs, i, latents);
    if (inputs.onStep) inputs.onStep(i + 1, calls, latents);
  }
  return latents;
}

}  // namespace dan::sample
