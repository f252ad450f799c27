// Known ground is what sampling must leave as it is: the photograph around the place of a defect, and the blank ground
// of the part.
#pragma once

#include <ATen/ATen.h>

#include "diffusion/scheduler.h"

namespace dan::sample {

// This is what is known of the pairs of a batch before they are drawn. The latents are scaled, (B * 2, 4, h, w), and
// their rows are (pair, branch).
struct GroundInputs {
  at::Tensor place;          // (B, 1, h, w) in [0, 1]: 1 where something new is drawn, 0 on known ground
  at::Tensor latents;        // the photograph, and the blank part
  at::Tensor maskedLatents;  // for an inpainting base: the photograph with the place blanked, and the blank part
  at::Tensor layout;         // with a strength below 1: the photograph with a defect, and the part of that defect
  double strength = 1;       // the share of the steps that are made, above 0, at most 1
};

// A base that is not made for inpainting keeps known ground if its latents are written into every step (blended latent
// diffusion, arXiv 2206.02779).
struct KnownGround {
  at::Tensor latents, noise;  // (B * 2, 4, h, w); all steps noise the latents with the same noise
  at::Tensor place;           // (B * 2, 1, h, w)

  bool defined() const { return latents.defined(); }
  // Returns `sample` with the ground at the noise that call `call` expects. After the last call the ground is clean.
  at::Tensor writtenInto(const at::Tensor& sample, const diffusion::Scheduler& scheduler, size_t call) const;
};

// Returns a row for each branch of rows for pairs.
at::Tensor forBranches(const at::Tensor& pairs);

// Returns how many of the scheduler's steps remain with this strength, rounded down as in diffusers. Throws
// ERR_INVALID_OPTION if none does, or if the strength is not above 0 and at most 1.
int64_t remainingSteps(double strength, int64_t steps);

}  // namespace dan::sample
