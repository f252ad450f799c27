#include "train/pair_loss.h"

namespace dan::train {

at::Tensor globalRows(int64_t pairs, at::Device device) {
  const at::Tensor both = at::zeros({pairs, dual::kNumBranches}, at::kFloat);
  both.select(1, dual::kGlobal).fill_(dual::kNumBranches);
  return both.view({-1, 1, 1, 1}).to(device);
}

at::Tensor defectWeights(const at::Tensor& defect, double share) {
  const at::Tensor area = defect.mean({1, 2, 3}, true);
  // If a picture is all defect or has none, its weights are uniform.
  const at::Tensor inside = area.clamp_min(share), none = area * (1 - area) == 0;
  const at::Tensor weights = defect * inside / area + (1 - defect) * (1 - inside) / (1 - area);
  return at::where(none, at::ones_like(defect), weights);
}

PairLoss pairLoss(const dual::DualUnet& unet, const diffusion::NoiseSchedule& schedule, const at::Tensor& latents,
                  const at::Tensor& noise, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                  const PairLossOptions& options) {
  const at::Tensor shared = timesteps.repeat_interleave(dual::kNumBranches);
  const at::Tensor noisy = schedule.addNoise(latents, noise, shared);
  const at::Tensor prediction =
      unet.forward(options.condition.appendTo(noisy), shared, encoderHiddenStates, options.background);
  const at::Tensor target = schedule.target(latents, noise, shared);
  if (!options.weights.defined()) {
    return {at::mse_loss(prediction.to(at::kFloat), target.to(at::kFloat)), prediction, noisy};
  }
  const at::Tensor error = at::mse_loss(prediction.to(at::kFloat), target.to(at::kFloat), at::Reduction::None);
  return {(error * options.weights).mean(), prediction, noisy};
}

}  // namespace dan::train
