// 3x3 convolutions of stride 1 with 4/9 of the multiplications: Winograd's F(2x2, 3x3) (Lavin and Gray, arXiv
// 1509.09308). Kernels are transformed block by block as they are used, so that they need no copy of their own.
#pragma once

#include "ops/cpu/product.h"

namespace dan::ops::cpu {

// Channels-last: pixel (n, y, x) has its `depth` values side by side.
struct ImageShape {
  int64_t count, height, width;
};

// Whether so few pixels are worth transforming kernels for.
bool winogradPays(const ImageShape& shape);

// result: images of the same shape with weights.columns values a pixel; padding 1; weights.taps is 9; bias: (columns)
// or null. product()'s sums but for rounding.
void winograd(const Kernels& kernels, const float* images, const ImageShape& shape, const ProductWeights& weights,
              const float* bias, float* result);

}  // namespace dan::ops::cpu
