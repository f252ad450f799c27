// The transforms of winograd.h, compiled for AVX-512.
#pragma once

#include <cstdint>

namespace dan::ops::cpu {

constexpr int64_t kPatch = 4;  // a tile reads 4 x 4 pixels and writes 2 x 2
constexpr int64_t kPositions = kPatch * kPatch;

// pixels: kPositions starts of `depth` floats, row by row; result[p * positionStride + k] for every position p.
void transformPatch(const float* const* pixels, int64_t depth, float* result, int64_t positionStride);

// A panel of 3 x 3 kernels, [tap][k][kPanelColumns] of product_kernel.h, to [position][k][kPanelColumns].
void transformKernels(const float* panel, int64_t depth, float* result);

// Sums of one tile, sums[p * positionStride + c] for c < kPanelColumns, to its 2 x 2 pixels, of which null ones are not
// written; bias: `columns` floats or null.
void transformSums(const float* sums, int64_t positionStride, const float* bias, int64_t columns, float* const* pixels);

}  // namespace dan::ops::cpu
