// These are matrix products and convolutions in bfloat16 on AMX. Products are exact and sums are in float32; only the
// result is rounded. Weights are packed when they are used, one group of columns at a time, so they need no second copy
// and no particular layout. For the sizes of Stable Diffusion, packing costs little beside reading the weights from
// memory.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "ops/cpu/product.h"

namespace dan::ops::cpu {

// Returns true if amxProduct takes these weights: bfloat16, and a depth that is a multiple of kAmxDepth.
bool amxTakes(const ProductWeights& weights);

// The rows that one task multiplies come in tiles of kAmxTileRows rows. Row r of tile t has `depth` values for each
// tap, which begin at data + tiles[t] + r * stride + tapOffsets[tap].
struct AmxRowsOfTask {
  const uint16_t* data;
  int64_t stride;              // values
  std::vector<int64_t> tiles;  // values
  // For each row of each tile, this is the row of the result, or -1 for a row whose result is not wanted.
  std::vector<int64_t> targets;
  at::Tensor scratch;  // of the thread, for a task that has to copy its values
};
struct AmxLeft {
  int64_t tasks;
  std::vector<int64_t> tapOffsets;  // values
  // Tells the rows of a task. Each row belongs to one task. Threads call it at once, each with rows of its own.
  std::function<void(int64_t task, AmxRowsOfTask& rows)> read;
};

// result[target(row)][column] = bias[column] + sum over tap and k of left[row][tap][k] * W[column][tap][k].
// result: bfloat16, (..., weights.columns); bias: (columns) or null.
void amxProduct(const Kernels& kernels, const AmxLeft& left, const ProductWeights& weights, const float* bias,
                uint16_t* result);

// x: (rows, weights.depth), contiguous bfloat16, with at least kAmxTileRows rows; result: (rows, weights.columns),
// likewise.
void amxLinear(const Kernels& kernels, const at::Tensor& x, const ProductWeights& weights, const float* bias,
               const at::Tensor& result);

// x: (n, weights.depth, h, w), bfloat16; result: (n, weights.columns, h, w), channels-last. The 3x3 kernel has stride
// and padding 1.
void amxConvolution(const Kernels& kernels, const at::Tensor& x, const ProductWeights& weights, const float* bias,
                    const at::Tensor& result);

}  // namespace dan::ops::cpu
