// Winograd's F(2x2, 3x3) computes 3x3 convolutions of stride 1 with 4/9 of the multiplications (Lavin and Gray, arXiv
// 1509.09308). Kernels are transformed block by block when they are used, so they need no second copy.
#pragma once

#include "ops/cpu/product.h"

namespace dan::ops::cpu {

// Images are channels-last: pixel (n, y, x) has its `depth` values side by side.
struct ImageShape {
  int64_t count, height, width;
};

// Returns true if the image has enough pixels to make transforming the kernels worthwhile.
bool winogradPays(const ImageShape& shape);

// result: images of the same shape with weights.columns values a pixel. The padding is 1, and weights.taps must be 9.
// bias: (columns) or null. The sums equal those of product() up to rounding.
void winograd(const Kernels& kernels, const float* images, const ImageShape& shape, const ProductWeights& weights,
              const float* bias, float* result);

}  // namespace dan::ops::cpu
