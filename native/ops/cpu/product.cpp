#include "ops/cpu/product.h"

#include <algorithm>
#include <vector>

#include "ops/cpu/ceil_div.h"
#include "ops/cpu/share_tasks.h"

namespace dan::ops::cpu {

namespace {

// In one round, a panel of this depth (times its columns) and as many floats of a tile stay in the caches near the
// core. All panels of the round together stay in the last-level cache.
constexpr int64_t kDepthOfRound = 640;
constexpr int64_t kColumnsOfRound = 1024;
constexpr int64_t kTasksOfThread = 16;  // small tasks let the threads end together

int64_t roundUp(int64_t x, int64_t multiple) { return ceilDiv(x, multiple) * multiple; }

Storage storageOf(at::ScalarType dtype) {
  return dtype == at::kHalf ? Storage::kHalf : dtype == at::kBFloat16 ? Storage::kBFloat16 : Storage::kFloat;
}

}  // namespace

PanelSource panelSource(const ProductWeights& weights, int64_t column, int64_t depth) {
  const int64_t first = column * weights.columnStride + depth * weights.depthStride;
  return {static_cast<const char*>(weights.data) + first * static_cast<int64_t>(c10::elementSize(weights.dtype)),
          storageOf(weights.dtype), weights.columnStride, weights.tapStride, weights.depthStride};
}

void product(const Kernels& kernels, int64_t rows, const RowStarts& left, const ProductWeights& weights,
             const float* bias, float* result, int64_t resultStride) {
  if (rows == 0) return;
  const int64_t taps = weights.taps, panelColumns = kernels.panelColumns, tileRows = kernels.tileRows;
  const int64_t mostDepth = std::max<int64_t>(kDepthOfRound / taps, 16);
  const int64_t depthOfRound =
      roundUp(ceilDiv(weights.depth, std::max<int64_t>(ceilDiv(weights.depth, mostDepth), 1)), 16);
  const int64_t columnsOfRound = std::min(roundUp(weights.columns, panelColumns), kColumnsOfRound);
  const int64_t panelSize = depthOfRound * taps * panelColumns;
  const at::Tensor buffer = at::empty({columnsOfRound / panelColumns * panelSize}, at::kFloat);
  auto* const panels = buffer.mutable_data_ptr<float>();
  const int64_t rowBlocks = ceilDiv(rows, kRowBlock);

  for (int64_t column = 0; column < weights.columns; column += columnsOfRound) {
    const int64_t columns = std::min(columnsOfRound, weights.columns - column);
    const int64_t numPanels = ceilDiv(columns, panelColumns);
    const auto columnsOf = [&](int64_t panel) { return std::min(panelColumns, columns - panel * panelColumns); };
    // With few row blocks, the threads also share out the panels.
    const int64_t groups = std::min(numPanels, ceilDiv(kTasksOfThread * at::get_num_threads(), rowBlocks));
    for (int64_t k = 0; k < weights.depth; k += depthOfRound) {
      const int64_t depth = std::min(depthOfRound, weights.depth - k);
      shareTasks(numPanels, [&](TaskSource& tasks) {
        while (const auto panel = tasks.next()) {
          const PanelSource source = panelSource(weights, column + *panel * panelColumns, k);
          kernels.packPanel(source, columnsOf(*panel), taps, depth, panels + *panel * panelSize);
        }
      });
      shareTasks(rowBlocks * groups, [&](TaskSource& tasks) {
        std::vector<const float*> starts(taps * kRowBlock);
        int64_t startsOf = -1;
        while (const auto item = tasks.next()) {
          const int64_t block = *item / groups, group = *item % groups;
          const int64_t row = block * kRowBlock, count = std::min(kRowBlock, rows - row);
          if (startsOf != block) {
            left(row, count, starts.data());
            for (int64_t tap = 0; tap < taps; ++tap) {
              const float** ofTap = starts.data() + tap * kRowBlock;
              for (int64_t r = 0; r < count; ++r) ofTap[r] += k;
              // The last tile is always full, so it repeats the last row.
              for (int64_t r = count; r < roundUp(count, tileRows); ++r) ofTap[r] = ofTap[count - 1];
            }
            startsOf = block;
          }
          for (int64_t panel = numPanels * group / groups; panel < numPanels * (group + 1) / groups; ++panel) {
            const int64_t at = column + panel * panelColumns;
            for (int64_t r = 0; r < count; r += tileRows) {
              kernels.multiplyTile(starts.data() + r, kRowBlock, taps, depth, panels + panel * panelSize,
                                   k == 0 && bias != nullptr ? bias + at : nullptr, k > 0,
                                   result + (row + r) * resultStride + at, resultStride, std::min(tileRows, count - r),
                                   columnsOf(panel));
            }
          }
        }
      });
    }
  }
}

}  // namespace dan::ops::cpu
