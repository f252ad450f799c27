// Matrix products with frozen weights on the kernels of this CPU: the weights stay as they are stored, in half,
// bfloat16 or single precision, and are widened block by block into the layout that the arithmetic wants, so that they
// need no copy of their own and no particular layout. Products and sums are in float32.
#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "ops/cpu/kernels.h"

namespace dan::ops::cpu {

// Weights W[column][tap][k]: a linear layer has one tap, a 3x3 kernel nine. By strides, in elements.
struct ProductWeights {
  const void* data = nullptr;
  at::ScalarType dtype = at::kFloat;  // kFloat, kHalf or kBFloat16
  int64_t columns = 0, taps = 1, depth = 0;
  int64_t columnStride = 0, tapStride = 0, depthStride = 0;
};

// Where the left operand's row begins: fills starts[tap * kRowBlock + r] for rows [first, first + count), each the
// start of `depth` floats.
constexpr int64_t kRowBlock = 48;  // whole tiles
using RowStarts = std::function<void(int64_t first, int64_t count, const float** starts)>;

// The weights from `column` and `depth` on, as packPanel takes them.
PanelSource panelSource(const ProductWeights& weights, int64_t column, int64_t depth);

// result[row][column] = bias[column] + sum over tap and k of left[row][tap][k] * W[column][tap][k].
// result: (rows, columns), rows `resultStride` floats apart; bias: (columns) or null.
void product(const Kernels& kernels, int64_t rows, const RowStarts& left, const ProductWeights& weights,
             const float* bias, float* result, int64_t resultStride);

}  // namespace dan::ops::cpu
