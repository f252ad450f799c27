// Gaussian smoothing of images and of maps.
#pragma once

#include <ATen/ATen.h>

namespace dan {

// Averages x, (N, C, H, W), over windows of 2 radius + 1 pixels with Gaussian weights that add up to 1. Returns only
// the windows inside the image: (N, C, H - 2 radius, W - 2 radius). `sigma` is in pixels. It can be differentiated.
at::Tensor gaussianFilter(const at::Tensor& x, double sigma, int64_t radius);
at::Tensor gaussianFilterPlain(const at::Tensor& x, double sigma, int64_t radius);

// Does the same, and keeps the size: the image is mirrored at its borders, so H and W must be greater than `radius`.
at::Tensor gaussianBlur(const at::Tensor& x, double sigma, int64_t radius);

}  // namespace dan
