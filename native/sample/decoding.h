// These functions decode latents of pairs to images on the host.
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
  at::Tensor attention;    // (H, W) uint8, or undefined if it was not requested
};

// The bytes of these pairs may still be copied from the device.
struct DrawnPairs {
  std::vector<SampledPair> pairs;
  std::unique_ptr<DeviceMark> arrived;  // null if the copy is complete
  FiniteChecks checks;
  // Waits for the pairs and returns them. It may be called once. Throws ERR_NON_FINITE with the step or the decoder
  // whose numbers are not finite. On the CPU, drawing the pairs has thrown it already.
  std::vector<SampledPair> take();
};

struct DecodeInputs {
  const model::BaseModel& base;
  const std::vector<int64_t>& indices;  // of the pairs
  at::Tensor latents;                   // (B * 2, 4, h, w), scaled
  at::Tensor attention;                 // (B, H, W) in 0 .. 1, or undefined
  bool isFast = false;                  // true to decode with the base's TAESD
  bool isOneBranch = false;             // true if parts are copies of whole images; then only these are decoded
};

// Decodes scaled latents, (N, 4, h, w), to (N, 3, H, W), not clamped. `checks` check the result.
at::Tensor decodePixels(const model::BaseModel& base, const at::Tensor& latents, bool isFast, FiniteChecks& checks);

// Throws the errors of `checks` and of the decoder's own checks. On a device, DrawnPairs::take throws them instead.
DrawnPairs decodePairs(const DecodeInputs& inputs, FiniteChecks checks, const Task& task);

}  // namespace dan::sample
