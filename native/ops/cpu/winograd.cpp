#include "ops/cpu/winograd.h"

#include <algorithm>
#include <vector>

#include "ops/cpu/ceil_div.h"
#include "ops/cpu/share_tasks.h"

namespace dan::ops::cpu {

namespace {

// In one round, the transformed patches of kTilesOfRound tiles, kPatchDepthOfRound values deep, stay in the last-level
// cache. The transformed kernels of a panel and its sums over a block of tiles stay near the core.
constexpr int64_t kTilesOfRound = 480, kTilesOfBlock = 48;  // multiples of every kernel's tileRows
constexpr int64_t kPatchDepthOfRound = 248;
// This gap between positions keeps the sixteen values that are written together out of a single cache set.
constexpr int64_t kGap = 16;
constexpr int64_t kTaps = 9;
constexpr int64_t kPanelTasksOfThread = 4;

// This is tile `index` of all images: its image and the upper left corner of its 2 x 2 pixels.
struct Tile {
  int64_t image, y, x;
  Tile(int64_t index, const ImageShape& shape) {
    const int64_t across = ceilDiv(shape.width, 2), ofImage = ceilDiv(shape.height, 2) * across;
    image = index / ofImage;
    y = index % ofImage / across * 2;
    x = index % across * 2;
  }
};

int64_t countTiles(const ImageShape& shape) { return shape.count * ceilDiv(shape.height, 2) * ceilDiv(shape.width, 2); }

}  // namespace

bool winogradPays(const ImageShape& shape) {
  constexpr int64_t kFewestTiles =
      // We measured that with 8 tiles the plain product is 1.8 times as fast, and with 32 tiles this is 1.3 times as
      // fast.
      16;
  return countTiles(shape) >= kFewestTiles;
}

void winograd(const Kernels& kernels, const float* images, const ImageShape& shape, const ProductWeights& weights,
              const float* bias, float* result) {
  if (weights.columns == 0) return;
  const int64_t panelColumns = kernels.panelColumns, tileRows = kernels.tileRows;
  const int64_t lanes = panelColumns / 2;  // of a vector
  const int64_t depth = weights.depth, numPanels = ceilDiv(weights.columns, panelColumns);
  const auto columnsOf = [&](int64_t panel) { return std::min(panelColumns, weights.columns - panel * panelColumns); };
  const int64_t tiles = countTiles(shape);
  const int64_t tilesOfRound = std::min(tiles, kTilesOfRound);
  const int64_t depthOfRound = ceilDiv(ceilDiv(depth, ceilDiv(depth, kPatchDepthOfRound)), 8) * 8;
  const int64_t patchStride = tilesOfRound * depthOfRound + kGap, sumStride = kTilesOfBlock * panelColumns + kGap;
  const int64_t kernelStride = depthOfRound * panelColumns + kGap;
  const at::Tensor patchBuffer = at::empty({kPositions * patchStride}, at::kFloat);
  auto* const patches = patchBuffer.mutable_data_ptr<float>();  // [position][tile][k]
  const std::vector<float> outside(depthOfRound);
  // Returns the start of pixel (y, x) in an image with `values` values a pixel, or null beyond its edges.
  const auto pixel = [&](auto* data, int64_t values, int64_t image, int64_t y, int64_t x) {
    const bool isInside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
    return isInside ? data + ((image * shape.height + y) * shape.width + x) * values : nullptr;
  };

  // Transforms the values [k, k + ofRound) of tiles [first, first + count) to patches.
  const auto transformPatches = [&](int64_t first, int64_t count, int64_t k, int64_t ofRound) {
    shareTasks(count, [&](TaskSource& tasks) {
      while (const auto t = tasks.next()) {
        const Tile tile(first + *t, shape);
        const float* pixels[kPositions];
        for (int64_t p = 0; p < kPositions; ++p) {
          const float* at = pixel(images, depth, tile.image, tile.y + p / kPatch - 1, tile.x + p % kPatch - 1);
          pixels[p] = at == nullptr ? outside.data() : at + k;
        }
        kernels.transformPatch(pixels, ofRound, patches + *t * depthOfRound, patchStride);
      }
    });
  };
  // Transforms the kernels of a panel for the values [k, k + ofRound).
  const auto transformKernels = [&](int64_t k, int64_t ofRound, int64_t panel, float* packed, float* transformed) {
    kernels.packPanel(panelSource(weights, panel * panelColumns, k), columnsOf(panel), kTaps, ofRound, packed);
    kernels.transformKernels(packed, ofRound, transformed, kernelStride);
  };
  // Adds the contribution of those values to the panel of the pixels of tiles [block, block + ofBlock) of the round.
  const auto addBlock = [&](int64_t first, int64_t count, int64_t k, int64_t ofRound, int64_t panel, int64_t block,
                            const float* transformed, float* sums) {
    const int64_t column = panel * panelColumns, columns = columnsOf(panel);
    const int64_t computed = ceilDiv(columns, lanes) * lanes, ofBlock = std::min(kTilesOfBlock, count - block);
    for (int64_t p = 0; p < kPositions; ++p) {
      for (int64_t t = 0; t < ofBlock; t += tileRows) {
        const float* starts[kMostTileRows];
        for (int64_t r = 0; r < tileRows; ++r) {
          starts[r] = patches + p * patchStride + std::min(block + t + r, count - 1) * depthOfRound;
        }
        kernels.multiplyTile(starts, 0, 1, ofRound, transformed + p * kernelStride, nullptr, false,
                             sums + p * sumStride + t * panelColumns, panelColumns, tileRows, computed);
      }
    }
    for (int64_t t = 0; t < ofBlock; ++t) {
      const Tile tile(first + block + t, shape);
      float* pixels[4];
      for (int64_t i = 0; i < 4; ++i) {
        float* at = pixel(result, weights.columns, tile.image, tile.y + i / 2, tile.x + i % 2);
        pixels[i] = at == nullptr ? nullptr : at + column;
      }
      const bool isFirst = k == 0;
      kernels.transformSums(sums + t * panelColumns, sumStride, isFirst && bias != nullptr ? bias + column : nullptr,
                            !isFirst, columns, pixels);
    }
  };

  for (int64_t first = 0; first < tiles; first += tilesOfRound) {
    const int64_t count = std::min(tilesOfRound, tiles - first);
    for (int64_t k = 0; k < depth; k += depthOfRound) {
      const int64_t ofRound = std::min(depthOfRound, depth - k);
      transformPatches(first, count, k, ofRound);
      // With few panels, the threads also share out the blocks of tiles, and each group of blocks transforms the
      // kernels of its panel.
      const int64_t numBlocks = ceilDiv(count, kTilesOfBlock);
      const int64_t groups = std::min(numBlocks, ceilDiv(kPanelTasksOfThread * at::get_num_threads(), numPanels));
      shareTasks(numPanels * groups, [&](TaskSource& tasks) {
        const at::Tensor scratch =
            at::empty({kTaps * depthOfRound * panelColumns + kPositions * (kernelStride + sumStride)}, at::kFloat);
        float* const packed = scratch.mutable_data_ptr<float>();
        float* const transformed = packed + kTaps * depthOfRound * panelColumns;
        float* const sums = transformed + kPositions * kernelStride;  // [position][tile][column]
        while (const auto task = tasks.next()) {
          const int64_t panel = *task / groups, group = *task % groups;
          transformKernels(k, ofRound, panel, packed, transformed);
          for (int64_t block = numBlocks * group / groups; block < numBlocks * (group + 1) / groups; ++block) {
            addBlock(first, count, k, ofRound, panel, block * kTilesOfBlock, transformed, sums);
          }
        }
      });
    }
  }
}

}  // namespace dan::ops::cpu
