#include "sample/denoise.h"

#include <ATen/core/grad_mode.h>

namespace dan::sample {

at::Tensor denoise(const dual::DualUnet& unet, diffusion::Scheduler& scheduler, const DenoiseInputs& inputs,
                   const Task& task) {
  const at::NoGradGuard noGrad;
  const bool guided = inputs.guidanceScale > 1.0;
  const auto& timesteps = scheduler.timesteps();
  at::Tensor latents = inputs.initialLatents * scheduler.initNoiseSigma();
  for (size_t i = 0; i < timesteps.size(); ++i) {
    task.checkCancelled();
    const at::Tensor scaled = scheduler.scaleModelInput(latents, i);
    const at::Tensor input = guided ? at::cat({scaled, scaled}) : scaled;
    const at::Tensor t = at::full({input.size(0)}, timesteps[i], input.options());

    dual::BackgroundFeatures features;
    if (inputs.noisyBackground) {
      const at::Tensor background = inputs.noisyBackground(i, timesteps[i]);
      const at::Tensor globalContext = dual::unpackBranches(inputs.encoderHiddenStates).select(1, dual::kGlobal);
      features = unet.backgroundFeatures(background, t.slice(0, 0, background.size(0)), globalContext);
    }
    at::Tensor prediction =
        unet.forward(input, t, inputs.encoderHiddenStates, inputs.noisyBackground ? &features : nullptr).to(at::kFloat);
    if (guided) {
      const auto halves = prediction.chunk(2);
      prediction = halves[0] + inputs.guidanceScale * (halves[1] - halves[0]);
    }
    latents = scheduler.step(prediction, i, latents, inputs.noise);
    if (inputs.onStep) inputs.onStep(i + 1, timesteps.size(), latents);
  }
  return latents;
}

}  // namespace dan::sample
