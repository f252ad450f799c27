#include "ops/cpu/winograd4.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "ops/cpu/ceil_div.h"
#include "ops/cpu/winograd4_grid.h"

namespace dan::ops::cpu {

namespace {

// The transformed values of the tiles of a block stay in the caches near the core.
constexpr int64_t kFloatsOfBlock = 100'000;
constexpr int64_t kTilesOfTask = 4;                                   // A thread transforms at least this many.
constexpr int64_t kFewestTilesOfBlock = 24, kMostTilesOfBlock = 384;  // multiples of every kernel's tileRows
// This gap between positions keeps the values that are written together out of a single cache set. A last tile of rows
// may also be read into it.
constexpr int64_t kPositionGap = 16;
// This position of a kernel's gradients sums the gradients of all pixels.
constexpr int64_t kSumPosition = kWinograd4Patch + 1;

int64_t padded(int64_t count, int64_t multiple) { return ceilDiv(count, multiple) * multiple; }

// Returns the number of tiles that are computed together, each with `floats` values at each position.
int64_t tilesOfBlock(int64_t floats) {
  const int64_t tiles = kFloatsOfBlock / (kWinograd4Positions * floats) / kFewestTilesOfBlock * kFewestTilesOfBlock;
  return std::clamp(tiles, kFewestTilesOfBlock, kMostTilesOfBlock);
}

}  // namespace

bool winograd4Pays(const ImageShape& shape) {
  // With fewer tiles, the product with the transformed kernels costs no more than transforming them.
  constexpr int64_t kFewestTiles = 48;
  constexpr double kLeastShare = 0.75;
  const Winograd4Grid grid(shape);
  const auto pixels = static_cast<double>(shape.count * shape.height * shape.width);
  return grid.tiles() >= kFewestTiles &&
         pixels >= kLeastShare * static_cast<double>(grid.tiles() * kWinograd4Tile * kWinograd4Tile);
}

int64_t paddedColumns(const Kernels& kernels, int64_t columns) { return padded(columns, kernels.winograd4->lanes); }

void winograd4(const Kernels& kernels, const float* images, const ImageShape& shape, int64_t depth, const float* taps,
               int64_t columns, const float* bias, float* result) {
  const Winograd4Kernels& winograd = *kernels.winograd4;
  const Winograd4Grid grid(shape);
  const int64_t ofPatch = padded(depth, winograd.lanes), ofSums = padded(columns, winograd.lanes);
  const int64_t kernelStride = depth * ofSums + kPositionGap;
  const at::Tensor kernelBuffer = at::empty({kWinograd4Positions * kernelStride}, at::kFloat);
  auto* const transformed = kernelBuffer.mutable_data_ptr<float>();  // [position][k][column]
  winograd.transformKernels(taps, depth * ofSums, transformed, kernelStride);

  const int64_t most = tilesOfBlock(ofPatch + ofSums), tiles = grid.tiles();
  const int64_t patchStride = most * ofPatch + kPositionGap, sumStride = most * ofSums + kPositionGap;
  at::parallel_for(0, ceilDiv(tiles, most), 1, [&](int64_t begin, int64_t end) {
    const int64_t ofScratch = kWinograd4Positions * std::max(depth, columns);
    const at::Tensor buffer = at::empty({kWinograd4Positions * (patchStride + sumStride) + ofScratch}, at::kFloat);
    auto* const patches = buffer.mutable_data_ptr<float>();           // [position][tile][k]
    float* const sums = patches + kWinograd4Positions * patchStride;  // [position][tile][column]
    float* const scratch = sums + kWinograd4Positions * sumStride;
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * most, count = std::min(most, tiles - first),
                    rows = padded(count, winograd.tileRows);
      for (int64_t t = 0; t < count; ++t) {
        grid.read(first + t, 1, kWinograd4Patch, images, depth, {0, depth}, scratch,
                  [&](const Winograd4Pixels& pixels) {
                    winograd.transformPatch(pixels, depth, patches + t * ofPatch, patchStride);
                  });
      }
      for (int64_t p = 0; p < kWinograd4Positions; ++p) {
        float* const left = patches + p * patchStride;
        std::fill(left + count * ofPatch, left + rows * ofPatch, 0.0F);
        winograd.multiply({left, ofPatch, 1, transformed + p * kernelStride, ofSums, sums + p * sumStride, ofSums, rows,
                           depth, ofSums, /*accumulate=*/false});
      }
      for (int64_t t = 0; t < count; ++t) {
        grid.write(first + t, result, columns, {0, columns}, /*accumulate=*/false, scratch,
                   [&](float* pixels, int64_t rowStride, int64_t columnStride) {
                     winograd.transformSums(sums + t * ofSums, sumStride, bias, /*accumulate=*/false, columns, pixels,
                                            rowStride, columnStride);
                   });
      }
    }
  });
}

void winograd4Gradients(const Kernels& kernels, const float* images, const float* gradients, const ImageShape& shape,
                        int64_t depth, int64_t columns, float* tapGradients, float* biasGradients) {
  const Winograd4Kernels& winograd = *kernels.winograd4;
  const Winograd4Grid grid(shape);
  const int64_t ofPatch = padded(depth, winograd.lanes), ofGradient = padded(columns, winograd.lanes);
  const int64_t rows = padded(depth, winograd.tileRows), sumStride = rows * ofGradient + kPositionGap;
  const int64_t most = tilesOfBlock(ofPatch + ofGradient), tiles = grid.tiles();
  const int64_t patchStride = most * ofPatch + kPositionGap, gradientStride = most * ofGradient + kPositionGap;
  const at::Tensor buffer = at::empty({kWinograd4Positions * (patchStride + gradientStride + sumStride)}, at::kFloat);
  auto* const patches = buffer.mutable_data_ptr<float>();             // [position][tile][k]
  float* const spread = patches + kWinograd4Positions * patchStride;  // [position][tile][column]
  float* const sums = spread + kWinograd4Positions * gradientStride;  // [position][k][column]
  std::fill_n(biasGradients, columns, 0.0F);
  // The blocks follow each other, so that the sums do not depend on the number of threads.
  for (int64_t first = 0; first < tiles; first += most) {
    const int64_t count = std::min(most, tiles - first);
    at::parallel_for(0, count, kTilesOfTask, [&](int64_t begin, int64_t end) {
      const at::Tensor scratch = at::empty({kWinograd4Positions * std::max(depth, columns)}, at::kFloat);
      auto* const outside = scratch.mutable_data_ptr<float>();
      for (int64_t t = begin; t < end; ++t) {
        grid.read(first + t, 1, kWinograd4Patch, images, depth, {0, depth}, outside,
                  [&](const Winograd4Pixels& pixels) {
                    winograd.transformPatch(pixels, depth, patches + t * ofPatch, patchStride);
                  });
        grid.read(first + t, 0, kWinograd4Tile, gradients, columns, {0, columns}, outside,
                  [&](const Winograd4Pixels& pixels) {
                    winograd.transformGradient(pixels, columns, spread + t * ofGradient, gradientStride);
                  });
      }
    });
    at::parallel_for(0, kWinograd4Positions, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        winograd.multiply({patches + p * patchStride, 1, ofPatch, spread + p * gradientStride, ofGradient,
                           sums + p * sumStride, ofGradient, rows, count, ofGradient, /*accumulate=*/first > 0});
      }
    });
    const float* const all = spread + kSumPosition * gradientStride;
    for (int64_t t = 0; t < count; ++t) {
      for (int64_t c = 0; c < columns; ++c) biasGradients[c] += all[t * ofGradient + c];
    }
  }
  winograd.gatherKernelGradients(sums, sumStride, depth * ofGradient, tapGradients);
}

}  // namespace dan::ops::cpu
