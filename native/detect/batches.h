// This runs networks on images in batches, so that memory does not grow with the number of images.
#pragma once

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/task.h"
#include "detect/detector.h"

namespace dan::detect {

// Calls `use` with each batch of images, (N, H, W, 3) uint8, as (n, 3, H, W) float in 0 .. 1 on the device, without
// gradients.
template <class Use>
void inBatches(const at::Tensor& images, int64_t batchSize, at::Device device, const Task& task, const Use& use) {
  const at::NoGradGuard noGrad;
  for (int64_t from = 0; from < images.size(0); from += batchSize) {
    task.checkCancelled();
    const int64_t count = std::min(batchSize, images.size(0) - from);
    use(images.narrow(0, from, count).permute({0, 3, 1, 2}).to(device, at::kFloat) / 255);
  }
}

// Throws ERR_INVALID_OPTION unless a batch has several images. The norm of a batch cannot be computed of one value,
// which is all that a coarse layer may have of one image.
inline void expectSeveralImages(const DetectorSettings& settings) {
  if (settings.training.batchSize < 2) {
    fail(kInvalidOption, "Expected a batch size of at least 2 for the detector ", settings.name, " but received ",
         settings.training.batchSize);
  }
}

}  // namespace dan::detect
