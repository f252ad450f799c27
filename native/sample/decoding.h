// Latents of pairs are decoded here to images on the host.
#pragma once

#include <memory>
#include <vector>

#include "core/accelerator.h"
#include "core/finite.h"
#include "core/task.h"
#include "model/base_model.h"

namespace dan::sample {

struct SampledPair {
  int64_t index = 0;
  at::Tensor image, part;  // (H, W, 3) uint8 on the CPU
  at::Tensor attention;    // (H, W) uint8, or undefined where it was not asked for
};

// Pairs whose bytes may still be on their way from the device.
struct DrawnPairs {
  std::vector<SampledPair> pairs;
  std::unique_ptr<DeviceMark> arrived;  // null where they are there
  FiniteChecks checks;
  // Waits for the pairs and returns them. May be called once. Throws ERR_NON_FINITE naming the step or the decoder
  // whose numbers are not finite, unless what drew them has thrown it already.
  std::vector<SampledPair> take();
};

struct DecodeInputs {
  const model::BaseModel& base;
  const std::vector<int64_t>& indices;  // of the pairs
  at::Tensor latents;                   // (B * 2, 4, h, w), scaled
  at::Tensor attention;                 // (B, H, W) in 0 .. 1, or undefined
  bool isFast = false;                  // with the base's TAESD
  bool isOneBranch = false;             // the parts are copies of the whole images, whose latents alone are decoded
};

// Throws what `checks` and the decoder's own checks throw; on a device, DrawnPairs::take throws it.
DrawnPairs decodePairs(const DecodeInputs& inputs, FiniteChecks checks, const Task& task);

}  // namespace dan::sample
