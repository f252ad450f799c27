// Filters whose window is a square of pixels: the mean of a picture around each pixel, and a mask that grows.
#pragma once

#include <ATen/ATen.h>

namespace dan::augment {

// Returns the mean of the (2 radius + 1)^2 pixels around each pixel of x, (C, H, W) float. Beyond the edges there are
// no pixels. Rows are averaged first, and then columns. The values are those of boxMeanPlain, bit by bit.
at::Tensor boxMean(const at::Tensor& x, int64_t radius);
at::Tensor boxMeanPlain(const at::Tensor& x, int64_t radius);

// Returns a mask, (H, W) bool, that also marks every pixel within `radius` rows and columns of a marked one.
at::Tensor dilated(const at::Tensor& mask, int64_t radius);
at::Tensor dilatedPlain(const at::Tensor& mask, int64_t radius);

}  // namespace dan::augment
