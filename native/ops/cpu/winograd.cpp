#include "ops/cpu/winograd.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

namespace dan::ops::cpu {

namespace {

// Of one round: transformed patches of this many tiles lie in the last cache; the transformed kernels of a panel of
// this depth, and its sums over the tiles, near the core.
constexpr int64_t kTilesOfRound = 240;  // whole tiles of products
constexpr int64_t kDepthOfRound = 128;
constexpr int64_t kTaps = 9;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Tile `index` of all images: its image and the upper left of its 2 x 2 pixels.
struct Tile {
  int64_t image, y, x;
  Tile(int64_t index, const ImageShape& shape) {
    const int64_t across = ceilDiv(shape.width, 2), ofImage = ceilDiv(shape.height, 2) * across;
    image = index / ofImage;
    y = index % ofImage / across * 2;
    x = index % across * 2;
  }
};

}  // namespace

void winograd(const Kernels& kernels, const float* images, const ImageShape& shape, const ProductWeights& weights,
              const float* bias, float* result) {
  const int64_t panelColumns = kernels.panelColumns, tileRows = kernels.tileRows;
  const int64_t depth = weights.depth, numPanels = ceilDiv(weights.columns, panelColumns);
  const int64_t tiles = shape.count * ceilDiv(shape.height, 2) * ceilDiv(shape.width, 2);
  const int64_t tilesOfRound = std::min(ceilDiv(tiles, tileRows) * tileRows, kTilesOfRound);
  const int64_t depthOfRound = std::min(depth, kDepthOfRound);
  const int64_t patchStride = tilesOfRound * depth, sumStride = tilesOfRound * panelColumns;
  const at::Tensor patchBuffer = at::empty({kPositions * patchStride}, at::kFloat);
  auto* const patches = patchBuffer.mutable_data_ptr<float>();  // [position][tile][k]
  const std::vector<float> outside(depth);
  // Where pixel (y, x) of an image of `values` values a pixel begins; null beyond its edges.
  const auto pixel = [&](auto* data, int64_t values, int64_t image, int64_t y, int64_t x) {
    const bool isInside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
    return isInside ? data + ((image * shape.height + y) * shape.width + x) * values : nullptr;
  };

  for (int64_t first = 0; first < tiles; first += tilesOfRound) {
    const int64_t count = std::min(tilesOfRound, tiles - first);
    at::parallel_for(0, count, 8, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const Tile tile(first + t, shape);
        const float* pixels[kPositions];
        for (int64_t p = 0; p < kPositions; ++p) {
          const float* at = pixel(images, depth, tile.image, tile.y + p / kPatch - 1, tile.x + p % kPatch - 1);
          pixels[p] = at == nullptr ? outside.data() : at;
        }
        kernels.transformPatch(pixels, depth, patches + t * depth, patchStride);
      }
    });
    at::parallel_for(0, numPanels, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> packed(kTaps * depthOfRound * panelColumns),
          transformed(kPositions * depthOfRound * panelColumns);
      std::vector<float> sums(kPositions * sumStride);  // [position][tile][column]
      for (int64_t panel = begin; panel < end; ++panel) {
        const int64_t column = panel * panelColumns, columns = std::min(panelColumns, weights.columns - column);
        for (int64_t k = 0; k < depth; k += depthOfRound) {
          const int64_t ofRound = std::min(depthOfRound, depth - k);
          kernels.packPanel(panelSource(weights, column, k), columns, kTaps, ofRound, packed.data());
          kernels.transformKernels(packed.data(), ofRound, transformed.data());
          for (int64_t p = 0; p < kPositions; ++p) {
            for (int64_t t = 0; t < count; t += tileRows) {
              const float* starts[kMostTileRows];
              for (int64_t r = 0; r < tileRows; ++r) {
                starts[r] = patches + p * patchStride + std::min(t + r, count - 1) * depth + k;
              }
              kernels.multiplyTile(starts, 0, 1, ofRound, transformed.data() + p * ofRound * panelColumns, nullptr,
                                   k > 0, sums.data() + p * sumStride + t * panelColumns, panelColumns, tileRows,
                                   panelColumns);
            }
          }
        }
        for (int64_t t = 0; t < count; ++t) {
          const Tile tile(first + t, shape);
          float* pixels[4];
          for (int64_t i = 0; i < 4; ++i) {
            float* at = pixel(result, weights.columns, tile.image, tile.y + i / 2, tile.x + i % 2);
            pixels[i] = at == nullptr ? nullptr : at + column;
          }
          kernels.transformSums(sums.data() + t * panelColumns, sumStride, bias == nullptr ? nullptr : bias + column,
                                columns, pixels);
        }
      }
    });
  }
}

}  // namespace dan::ops::cpu
