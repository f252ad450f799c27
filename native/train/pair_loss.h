// The loss of one training step.
#pragma once

#include "diffusion/noise_schedule.h"
#include "dual/dual_unet.h"
#include "model/inpaint_condition.h"

namespace dan::train {

// Returns weights of mean 1 per picture that give `defect` (B, 1, h, w; zeros and ones) at least `share` of a uniform
// error.
at::Tensor defectWeights(const at::Tensor& defect, double share);

// Returns weights (B * 2, 1, 1, 1) of mean 1 that restrict the loss to the global branch.
at::Tensor globalRows(int64_t pairs, at::Device device);

// A step may add these to the paper's loss. Each may be absent.
struct PairLossOptions {
  const dual::BackgroundFeatures* background = nullptr;
  at::Tensor weights;                 // They broadcast to the latents.
  model::InpaintCondition condition;  // (B * 2) rows, for an inpainting base
};

// Computes the loss of the paper: the mean squared error over both branches together, weighted where weights are given.
// latents, noise: (B * 2, 4, h, w); timesteps: (B), shared by both branches; encoderHiddenStates: (B * 2, 77, D).
struct PairLoss {
  at::Tensor loss, prediction, noisy;
};
PairLoss pairLoss(const dual::DualUnet& unet, const diffusion::NoiseSchedule& schedule, const at::Tensor& latents,
                  const at::Tensor& noise, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                  const PairLossOptions& options = {});

}  // namespace dan::train
