#include "sample/denoise.h"

#include <ATen/core/grad_mode.h>

namespace dan::sample {

at::Tensor startLatents(const diffusion::Scheduler& scheduler, const DenoiseInputs& inputs) {
  const at::Tensor latents = inputs.layout.defined() ? scheduler.addNoise(inputs.layout, inputs.initialLatents, 0)
                                                     : inputs.initialLatents * scheduler.initNoiseSigma();
  return inputs.ground.defined() ? inputs.ground.writtenInto(latents, scheduler, 0) : latents;
}

at::Tensor denoiseStep(const dual::PairModel& unet, diffusion::Scheduler& scheduler, const DenoiseInputs& inputs,
                       size_t call, const at::Tensor& latents) {
  const at::NoGradGuard noGrad;
  const double timestep = scheduler.timesteps().at(call);
  const bool mayGuide = inputs.guidanceScale > 1.0;
  const bool guided = mayGuide && timestep >= inputs.guidedFrom && timestep <= inputs.guidedTo;
  const bool halved = mayGuide && !guided;
  const at::Tensor scaled = inputs.condition.appendTo(scheduler.scaleModelInput(latents, call));
  const at::Tensor input = guided ? at::cat({scaled, scaled}) : scaled;
  const at::Tensor t = at::full({input.size(0)}, timestep, input.options());
  dual::BackgroundFeatures features;
  if (inputs.background != nullptr) {
    features = inputs.background->features(unet, call, timestep, halved, inputs.reusesBackground);
  }
  at::Tensor prediction = unet.forward(input, t, halved ? inputs.conditionalStates : inputs.encoderHiddenStates,
                                       inputs.background != nullptr ? &features : nullptr)
                              .to(at::kFloat);
  if (guided) {
    const auto halves = prediction.chunk(2);
    prediction = halves[0] + inputs.guidanceScale * (halves[1] - halves[0]);
  }
  const at::Tensor next = scheduler.step(prediction, call, latents, inputs.noise);
  return inputs.ground.defined() ? inputs.ground.writtenInto(next, scheduler, call + 1) : next;
}

at::Tensor denoise(const dual::PairModel& unet, diffusion::Scheduler& scheduler, const DenoiseInputs& inputs,
                   const Task& task) {
  const size_t calls = scheduler.timesteps().size();
  at::Tensor latents = startLatents(scheduler, inputs);
  for (size_t i = 0; i < calls; ++i) {
    task.checkCancelled();
    latents = denoiseStep(unet, scheduler, inputs, i, latents);
    if (inputs.onStep) inputs.onStep(i + 1, calls, latents);
  }
  return latents;
}

}  // namespace dan::sample
