// These are matrix products with frozen weights on this CPU's kernels. The weights stay in their stored half, bfloat16
// or single precision. They are widened block by block into the layout that the arithmetic needs, so they need no
// second copy and no particular layout. Products and sums are in float32.
#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "ops/cpu/kernels.h"

namespace dan::ops::cpu {

// The weights are W[column][tap][k]. A linear layer has one tap, a 3x3 kernel has nine. Strides count elements.
struct ProductWeights {
  const void* data = nullptr;
  at::ScalarType dtype = at::kFloat;  // kFloat, kHalf or kBFloat16
  int64_t columns = 0, taps = 1, depth = 0;
  int64_t columnStride = 0, tapStride = 0, depthStride = 0;
};

// A RowStarts fills starts[tap * kRowBlock + r] for rows [first, first + count) of the left operand. Each entry points
// to `depth` floats.
constexpr int64_t kRowBlock = 48;  // a multiple of every kernel's tileRows
using RowStarts = std::function<void(int64_t first, int64_t count, const float** starts)>;

// Returns the weights beginning at `column` and `depth`, in the form that packPanel takes.
PanelSource panelSource(const ProductWeights& weights, int64_t column, int64_t depth);

// result[row][column] = bias[column] + sum over tap and k of left[row][tap][k] * W[column][tap][k].
// result: (rows, columns), whose rows begin `resultStride` floats apart; bias: (columns) or null.
void product(const Kernels& kernels, int64_t rows, const RowStarts& left, const ProductWeights& weights,
             const float* bias, float* result, int64_t resultStride);

}  // namespace dan::ops::cpu
