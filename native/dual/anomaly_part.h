// The anomaly branch shows the defect alone on a blank background.
#pragma once

#include <ATen/ATen.h>

namespace dan::dual {

enum class PartFill { kGrey, kBlack };

// Computes I_a = I x M_a with the rest blank. pixelValues: (N, 3, H, W) in [-1, 1]; masks: (N, 1, H, W) of 0 and 1. The
// published code multiplies images in [-1, 1], which makes the blank mid-grey. Black is -1.
inline at::Tensor anomalyPart(const at::Tensor& pixelValues, const at::Tensor& masks, PartFill fill) {
  const at::Tensor part = pixelValues * masks;
  return fill == PartFill::kGrey ? part : part - (1 - masks);
}

}  // namespace dan::dual
