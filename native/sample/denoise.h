// These functions run the denoising loop of a batch of pairs.
#pragma once

#include <functional>
#include <limits>
#include <vector>

#include "core/task.h"
#include "diffusion/scheduler.h"
#include "dual/branch.h"
#include "dual/pair_model.h"
#include "model/inpaint_condition.h"
#include "sample/background_pass.h"
#include "sample/known_ground.h"

namespace dan::sample {

struct DenoiseInputs {
  at::Tensor initialLatents;       // (B * 2, 4, h, w), unit variance
  at::Tensor layout;               // clean latents to start from, (B * 2, 4, h, w); undefined to start from noise
  at::Tensor encoderHiddenStates;  // (B * 2, 77, D), or with guidance (2 * B * 2, 77, D), unconditional half first
  double guidanceScale = 1.0;      // above 1: classifier-free guidance (arXiv 2207.12598)
  // Only calls with these timesteps are guided (a guidance interval, arXiv 2404.07724). The other calls compute only
  // the conditional half, (B * 2, 77, D).
  double guidedFrom = 0.0, guidedTo = std::numeric_limits<double>::infinity();
  at::Tensor conditionalStates;
  diffusion::NoiseSource noise;  // (B * 2, 4, h, w) for each call
  // Background compensation needs this pass, which must outlive the loop. With reusesBackground it returns the features
  // of the previous call.
  BackgroundPass* background = nullptr;
  bool reusesBackground = false;
  KnownGround ground;                 // undefined if nothing is known, or if the base is made for inpainting
  model::InpaintCondition condition;  // (B * 2, ...), for an inpainting base
  // This function is called after every scheduler step. Steps count from 1.
  std::function<void(size_t step, size_t steps, const at::Tensor& latents)> onStep;
};

// Returns the latents of the first call. They have known ground.
at::Tensor startLatents(const diffusion::Scheduler& scheduler, const DenoiseInputs& inputs);

// Makes call `call` of scheduler.timesteps() and one step of the scheduler. `latents` are the scheduler's. Returns the
// new latents. Calls must come in order, because schedulers have a state.
at::Tensor denoiseStep(const dual::PairModel& unet, diffusion::Scheduler& scheduler, const DenoiseInputs& inputs,
                       size_t call, const at::Tensor& latents);

// Returns the clean latents, (B * 2, 4, h, w), float32. Ends within one call once `task` is cancelled.
at::Tensor denoise(const dual::PairModel& unet, diffusion::Scheduler& scheduler, const DenoiseInputs& inputs,
                   const Task& task);

}  // namespace dan::sample
