#include <algorithm>

#include "ops/cpu/ceil_div.h"
#include "ops/cpu/share_tasks.h"
#include "ops/cpu/winograd4.h"
#include "ops/cpu/winograd4_grid.h"

namespace dan::ops::cpu {

namespace {

// In one round, the transformed patches of kPatchesOfRound tiles stay in the last-level cache. The transformed kernels
// of a panel (kFloatsOfKernels), and its sums over a block of tiles, stay in the second-level cache.
constexpr int64_t kPatchesOfRound = 240, kPatchesOfBlock = 48;  // multiples of every kernel's tileRows
constexpr int64_t kFloatsOfKernels = 260'000;
// This gap between positions keeps the values that are written together out of a single cache set.
constexpr int64_t kGapOfPositions = 16;
constexpr int64_t kTapsOfKernel = 9;
constexpr int64_t kFrozenTasksOfThread = 4;

// One round adds the contribution of some values of some tiles' pixels to the result.
class FrozenRound {
 public:
  FrozenRound(const Kernels& kernels, const Winograd4Grid& grid, const ProductWeights& weights, int64_t mostTiles,
              int64_t mostValues)
      : kernels_(kernels),
        grid_(grid),
        weights_(weights),
        panelColumns_(kernels.panelColumns),
        patchStride_(mostTiles * mostValues + kGapOfPositions),
        kernelStride_(mostValues * panelColumns_ + kGapOfPositions),
        patches_(at::empty({kWinograd4Positions * patchStride_}, at::kFloat)),
        scratchOfTile_(kWinograd4Positions * std::max(mostValues, panelColumns_)) {}

  void run(const float* images, int64_t firstTile, int64_t tiles, ValueRange values, const float* bias, float* result) {
    transformPatches(images, firstTile, tiles, values);
    const int64_t panels = ceilDiv(weights_.columns, panelColumns_), blocks = ceilDiv(tiles, kPatchesOfBlock);
    // With few panels, the threads also share out the blocks of tiles, and each group of blocks transforms the kernels
    // of its panel.
    const int64_t groups = std::min(blocks, ceilDiv(kFrozenTasksOfThread * at::get_num_threads(), panels));
    shareTasks(panels * groups, [&](TaskSource& tasks) {
      const int64_t floats = kTapsOfKernel * values.count * panelColumns_ + kWinograd4Positions * kernelStride_ +
                             kWinograd4Positions * sumStride() + scratchOfTile_;
      const at::Tensor buffer = at::empty({floats}, at::kFloat);
      auto* const packed = buffer.mutable_data_ptr<float>();                             // [tap][k][column]
      float* const transformed = packed + kTapsOfKernel * values.count * panelColumns_;  // [position][k][column]
      float* const sums = transformed + kWinograd4Positions * kernelStride_;             // [position][tile][column]
      float* const scratch = sums + kWinograd4Positions * sumStride();
      while (const auto task = tasks.next()) {
        const int64_t panel = *task / groups, group = *task % groups, column = panel * panelColumns_;
        kernels_.packPanel(panelSource(weights_, column, values.first), columnsOf(panel), kTapsOfKernel, values.count,
                           packed);
        kernels_.winograd4->transformKernels(packed, values.count * panelColumns_, transformed, kernelStride_);
        for (int64_t block = blocks * group / groups; block < blocks * (group + 1) / groups; ++block) {
          const int64_t first = block * kPatchesOfBlock, count = std::min(kPatchesOfBlock, tiles - first);
          multiply(first, count, tiles, values.count, columnsOf(panel), transformed, sums);
          for (int64_t t = 0; t < count; ++t) {
            const bool isFirst = values.first == 0;
            grid_.write(firstTile + first + t, result, weights_.columns, {column, columnsOf(panel)}, !isFirst, scratch,
                        [&](float* pixels, int64_t rowStride, int64_t columnStride) {
                          kernels_.winograd4->transformSums(sums + t * panelColumns_, sumStride(),
                                                            isFirst && bias != nullptr ? bias + column : nullptr,
                                                            !isFirst, columnsOf(panel), pixels, rowStride,
                                                            columnStride);
                        });
          }
        }
      }
    });
  }

 private:
  int64_t sumStride() const { return kPatchesOfBlock * panelColumns_ + kGapOfPositions; }
  int64_t columnsOf(int64_t panel) const { return std::min(panelColumns_, weights_.columns - panel * panelColumns_); }

  int64_t wholeVectors(int64_t values) const {
    const int64_t lanes = kernels_.winograd4->lanes;
    return ceilDiv(values, lanes) * lanes;
  }

  // Writes [position][tile][k]. The values of a tile fill whole vectors.
  void transformPatches(const float* images, int64_t firstTile, int64_t tiles, ValueRange values) {
    auto* const patches = patches_.mutable_data_ptr<float>();
    shareTasks(tiles, [&](TaskSource& tasks) {
      const at::Tensor scratch = at::empty({scratchOfTile_}, at::kFloat);
      while (const auto t = tasks.next()) {
        grid_.read(firstTile + *t, 1, kWinograd4Patch, images, weights_.depth, values,
                   scratch.mutable_data_ptr<float>(), [&](const Winograd4Pixels& pixels) {
                     kernels_.winograd4->transformPatch(pixels, values.count, patches + *t * wholeVectors(values.count),
                                                        patchStride_);
                   });
      }
    });
  }

  // Multiplies the patches [first, first + count) of all positions by the kernels of a panel.
  void multiply(int64_t first, int64_t count, int64_t tiles, int64_t depth, int64_t columns, const float* transformed,
                float* sums) const {
    const auto* const patches = patches_.const_data_ptr<float>();
    const int64_t tileRows = kernels_.tileRows, lanes = panelColumns_ / 2;
    const int64_t computed = ceilDiv(columns, lanes) * lanes;
    for (int64_t p = 0; p < kWinograd4Positions; ++p) {
      for (int64_t t = 0; t < count; t += tileRows) {
        const float* starts[kMostTileRows];
        for (int64_t r = 0; r < tileRows; ++r) {
          starts[r] = patches + p * patchStride_ + std::min(first + t + r, tiles - 1) * wholeVectors(depth);
        }
        kernels_.multiplyTile(starts, 0, 1, depth, transformed + p * kernelStride_, nullptr, false,
                              sums + p * sumStride() + t * panelColumns_, panelColumns_, tileRows, computed);
      }
    }
  }

  const Kernels& kernels_;
  const Winograd4Grid& grid_;
  const ProductWeights& weights_;
  int64_t panelColumns_, patchStride_, kernelStride_;
  at::Tensor patches_;
  int64_t scratchOfTile_;
};

}  // namespace

void winograd4Frozen(const Kernels& kernels, const float* images, const ImageShape& shape,
                     const ProductWeights& weights, const float* bias, float* result) {
  if (weights.columns == 0) return;
  const Winograd4Grid grid(shape);
  const int64_t lanes = kernels.winograd4->lanes;
  const int64_t most = kFloatsOfKernels / (kWinograd4Positions * kernels.panelColumns);
  const int64_t valuesOfRound = ceilDiv(ceilDiv(weights.depth, ceilDiv(weights.depth, most)), lanes) * lanes;
  const int64_t tilesOfRound = std::min(grid.tiles(), kPatchesOfRound);
  FrozenRound round(kernels, grid, weights, tilesOfRound, valuesOfRound);
  for (int64_t tile = 0; tile < grid.tiles(); tile += tilesOfRound) {
    for (int64_t k = 0; k < weights.depth; k += valuesOfRound) {
      round.run(images, tile, std::min(tilesOfRound, grid.tiles() - tile),
                {k, std::min(valuesOfRound, weights.depth - k)}, bias, result);
    }
  }
}

}  // namespace dan::ops::cpu
