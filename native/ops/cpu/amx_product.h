// These are matrix products and convolutions in bfloat16 on AMX. Products are exact and sums are in float32; only the
// result is rounded. Weights are packed when they are used, one group of columns at a time, so they need no second copy
// and no particular layout. For the sizes of Stable Diffusion, packing costs little beside reading the weights from
// memory.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "ops/cpu/product.h"

namespace dan::ops::cpu {

// Returns true if amxProduct takes these weights: bfloat16, and a depth that is a multiple of kAmxDepth.
bool amxTakes(const ProductWeights& weights);

// Row r of the left operand has `depth` values for each tap, which begin at data + r * stride + tapOffsets[tap].
struct AmxLeft {
  const uint16_t* data;
  int64_t rows;    // at least kAmxRows
  int64_t stride;  // values
  std::vector<int64_t> tapOffsets;
  // The row of the result for each row, or -1 for a row whose result is not wanted. If empty, they are the same rows.
  std::vector<int64_t> targets;
};

// result[target(row)][column] = bias[column] + sum over tap and k of left[row][tap][k] * W[column][tap][k].
// result: bfloat16, (..., weights.columns); bias: (columns) or null.
void amxProduct(const Kernels& kernels, const AmxLeft& left, const ProductWeights& weights, const float* bias,
                uint16_t* result);

// x: (rows, weights.depth), contiguous bfloat16, with at least kAmxRows rows; result: (rows, weights.columns),
// likewise.
void amxLinear(const Kernels& kernels, const at::Tensor& x, const ProductWeights& weights, const float* bias,
               const at::Tensor& result);

// x: (n, weights.depth, h, w), bfloat16; result: (n, weights.columns, h, w), channels-last. The 3x3 kernel has stride
// and padding 1.
void amxConvolution(const Kernels& kernels, const at::Tensor& x, const ProductWeights& weights, const float* bias,
                    const at::Tensor& result);

}  // namespace dan::ops::cpu
