// The change that the model drew is added to the photograph at the photograph's own scale. Outside of the softened mask
// the photograph keeps its bytes.
#pragma once

#include <ATen/ATen.h>

namespace dan::place {

// From this difference on, as a share of the range, a pixel has visibly changed.
constexpr double kVisible = 0.04;

struct Pasted {
  at::Tensor image;     // (H, W, C) uint8
  at::Tensor mask;      // (H, W) uint8, 0 and 255
  double contrast = 0;  // the largest difference to the photograph inside the mask, 0 to 1
  // The mean difference to the photograph inside the mask, divided by the standard deviation of the photograph there
  // and nearby. It tells whether the defect stands out from its ground. It is 0 without a mask.
  double contrastToNoise = 0;
  // The IoU of the mask and of the pixels that differ visibly from the photograph. It is 0 if there are neither.
  double fit = 0;
};

// photograph: (H, W, C) uint8; change: (H, W, C) in units of [-1, 1]; soft: (H, W) in 0 .. 1.
at::Tensor withChange(const at::Tensor& photograph, const at::Tensor& change, const at::Tensor& soft);

// Returns the mask, (H, W) of 0 and 1, with a border of two pixels that falls off to 0. The mask itself keeps 1.
at::Tensor softened(const at::Tensor& mask);

// Resizes the change, (h, w, 3), and the mask, (h, w) uint8, to the photograph, (H, W, 1 or 3) uint8, and adds the
// change inside the softened mask. A photograph of one channel gets the mean of the change's channels.
Pasted pasteBack(const at::Tensor& photograph, const at::Tensor& change, const at::Tensor& mask);

}  // namespace dan::place
