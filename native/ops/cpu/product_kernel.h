// The innermost loops of product.h, in a file of their own because they are compiled for AVX-512.
#pragma once

#include <cstdint>

namespace dan::ops::cpu {

constexpr int64_t kPanelColumns = 32;  // two vectors
constexpr int64_t kTileRows = 8;

enum class Storage { kFloat, kHalf, kBFloat16 };

// Widens `columns` (at most kPanelColumns) columns of weights from `data`, depth `depth` of every tap, to
// panel[tap][k][kPanelColumns], zeros behind the last column.
struct PanelSource {
  const void* data;
  Storage storage;
  int64_t columnStride, tapStride, depthStride;
};
void packPanel(const PanelSource& source, int64_t columns, int64_t taps, int64_t depth, float* panel);

// One tile: result[r][c] (+)= sum of starts[tap * startStride + r][k] * panel[tap][k][c] for kTileRows rows, of which
// `rows` are written, and `columns` columns. Begins from `bias` where it is not null, else from what is in result where
// `accumulate`, else from zero.
void multiplyTile(const float* const* starts, int64_t startStride, int64_t taps, int64_t depth, const float* panel,
                  const float* bias, bool accumulate, float* result, int64_t resultStride, int64_t rows,
                  int64_t columns);

}  // namespace dan::ops::cpu
