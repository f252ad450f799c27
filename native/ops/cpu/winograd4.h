// Winograd's F(4x4, 3x3) computes 3x3 convolutions of stride 1 and padding 1 with a quarter of the multiplications
// (Lavin and Gray, arXiv 1509.09308), and the gradients of their kernels too. Rounding errors are some ten times those
// of a plain sum.
#pragma once

#include "ops/cpu/winograd.h"

namespace dan::ops::cpu {

// Returns true if the images have enough tiles to make transforming the kernels worthwhile, and few pixels of the tiles
// lie outside of the images.
bool winograd4Pays(const ImageShape& shape);

// Returns the number of floats that the kernels' columns take, which fill whole vectors.
int64_t paddedColumns(const Kernels& kernels, int64_t columns);

// result: images of the same shape with weights.columns values a pixel. weights.taps must be 9; bias: (columns) or
// null. The kernels are frozen, and are transformed block by block when they are used, so they need no second copy.
void winograd4Frozen(const Kernels& kernels, const float* images, const ImageShape& shape,
                     const ProductWeights& weights, const float* bias, float* result);

// This serves training: kernels change in each step, so they are transformed whole for each call.
// images: `depth` values a pixel; taps: [tap][depth][paddedColumns], zeros after the last column; bias: (columns) or
// null. Writes images of the same shape with `columns` values a pixel.
void winograd4(const Kernels& kernels, const float* images, const ImageShape& shape, int64_t depth, const float* taps,
               int64_t columns, const float* bias, float* result);

// gradients: of the pixels that winograd4() writes. Writes the gradients of the taps, in their layout, and of the
// bias, (columns).
void winograd4Gradients(const Kernels& kernels, const float* images, const float* gradients, const ImageShape& shape,
                        int64_t depth, int64_t columns, float* tapGradients, float* biasGradients);

}  // namespace dan::ops::cpu
