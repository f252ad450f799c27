#include "ops/cpu/amx_product.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>

#include "ops/cpu/ceil_div.h"

namespace dan::ops::cpu {

namespace {

// The packed weights of a round stay in the last-level cache. A chunk of 32 of their columns stays in the first-level
// cache while the rows of a task pass, whose sums stay in the second-level cache.
constexpr int64_t kBytesOfRound = 2 << 20;
constexpr int64_t kMostColumnsOfRound = 512;
constexpr int64_t kStepsOfChunk = 16;
constexpr int64_t kRowsOfTask = 128;
constexpr int64_t kAmxTasksOfThread = 4;
constexpr int64_t kSumsOfBlock = kAmxRows * kAmxColumns;

const uint16_t* bits(const at::Tensor& x) { return static_cast<const uint16_t*>(x.const_data_ptr()); }

// Packs `columns` (at most kAmxColumns) columns of weights to words of pairs, [tap][word][kAmxColumns]. Zeros fill the
// columns after the last.
void packColumns(const Kernels& kernels, const ProductWeights& weights, int64_t first, int64_t columns, float* panel) {
  const auto* data = static_cast<const uint16_t*>(weights.data) + first * weights.columnStride;
  const int64_t words = weights.depth / 2;
  const bool isWhole = reinterpret_cast<uintptr_t>(data) % sizeof(float) == 0 && weights.columnStride % 2 == 0 &&
                       weights.tapStride % 2 == 0;
  if (weights.depthStride == 1 && isWhole) {  // Each pair lies in memory as a word.
    kernels.packPanel({data, Storage::kFloat, weights.columnStride / 2, weights.tapStride / 2, 1}, columns,
                      weights.taps, words, panel);
    return;
  }
  for (int64_t tap = 0; tap < weights.taps; ++tap) {
    for (int64_t word = 0; word < words; ++word, panel += kAmxColumns) {
      const uint16_t* low = data + tap * weights.tapStride + 2 * word * weights.depthStride;
      const uint16_t* high = low + weights.depthStride;
      uint32_t pairs[kAmxColumns] = {};
      for (int64_t c = 0; c < columns; ++c) {
        const int64_t at = c * weights.columnStride;
        pairs[c] = low[at] | static_cast<uint32_t>(high[at]) << 16;
      }
      std::memcpy(panel, pairs, sizeof(pairs));
    }
  }
}

// One round multiplies all rows by one group of packed columns.
struct Round {
  const Kernels& kernels;
  const AmxLeft& left;
  const std::vector<int64_t>& stepOffsets;
  const float* panels;  // [block of columns][step][word][column]
  int64_t panelSize, column, columns;
  const float* bias;
  uint16_t* result;
  int64_t resultStride;

  // Computes rows [first, last), of which there are at least kAmxRows, and blocks [firstBlock, lastBlock) of columns.
  void compute(int64_t first, int64_t last, int64_t firstBlock, int64_t lastBlock, std::vector<float>& sums) const {
    const int64_t rowBlocks = ceilDiv(last - first, kAmxRows), steps = static_cast<int64_t>(stepOffsets.size());
    sums.resize((lastBlock - firstBlock) * rowBlocks * kSumsOfBlock);
    const auto sumsOf = [&](int64_t block, int64_t rowBlock) {
      return sums.data() + ((block - firstBlock) * rowBlocks + rowBlock) * kSumsOfBlock;
    };
    // The last block of rows ends with the last row, so that it may share rows with the block before.
    const auto firstRow = [&](int64_t rowBlock) { return std::min(first + rowBlock * kAmxRows, last - kAmxRows); };
    kernels.amx->configure();
    for (int64_t step = 0; step < steps; step += kStepsOfChunk) {
      for (int64_t block = firstBlock; block < lastBlock; ++block) {
        const float* right = panels + block * panelSize + step * kAmxWords * kAmxColumns;
        for (int64_t rowBlock = 0; rowBlock < rowBlocks; ++rowBlock) {
          kernels.amx->multiply({left.data + firstRow(rowBlock) * left.stride, left.stride, stepOffsets.data() + step,
                                 std::min(kStepsOfChunk, steps - step), right, kAmxColumns, kAmxWords,
                                 sumsOf(block, rowBlock), kAmxColumns, step > 0});
        }
      }
    }
    kernels.amx->release();
    for (int64_t row = first; row < last; ++row) {
      const int64_t target = left.targets.empty() ? row : left.targets[row];
      if (target < 0) continue;
      const int64_t rowBlock = (row - first) / kAmxRows, inBlock = row - firstRow(rowBlock);
      for (int64_t block = firstBlock; block < lastBlock; ++block) {
        const int64_t begin = column + block * kAmxColumns;
        kernels.roundSums(sumsOf(block, rowBlock) + inBlock * kAmxColumns, bias == nullptr ? nullptr : bias + begin,
                          std::min(kAmxColumns, columns - block * kAmxColumns), result + target * resultStride + begin);
      }
    }
  }
};

}  // namespace

bool amxTakes(const ProductWeights& weights) {
  return weights.dtype == at::kBFloat16 && weights.depth > 0 && weights.depth % kAmxDepth == 0;
}

void amxProduct(const Kernels& kernels, const AmxLeft& left, const ProductWeights& weights, const float* bias,
                uint16_t* result) {
  TORCH_INTERNAL_ASSERT(kernels.amx != nullptr && kernels.panelColumns == kAmxColumns && amxTakes(weights) &&
                        left.rows >= kAmxRows);
  std::vector<int64_t> stepOffsets;
  for (const int64_t offset : left.tapOffsets) {
    for (int64_t k = 0; k < weights.depth; k += kAmxDepth) stepOffsets.push_back(offset + k);
  }
  const int64_t bytesOfColumn = weights.taps * weights.depth * 2;
  const int64_t columnsOfRound =
      std::clamp(kBytesOfRound / bytesOfColumn / kAmxColumns, int64_t{1}, kMostColumnsOfRound / kAmxColumns) *
      kAmxColumns;
  const int64_t panelSize = weights.taps * weights.depth / 2 * kAmxColumns;
  const int64_t mostBlocks = ceilDiv(std::min(columnsOfRound, weights.columns), kAmxColumns);
  const at::Tensor buffer = at::empty({mostBlocks * panelSize}, at::kFloat);
  auto* const panels = buffer.mutable_data_ptr<float>();
  const int64_t rowTasks = std::max<int64_t>(left.rows / kRowsOfTask, 1);

  for (int64_t column = 0; column < weights.columns; column += columnsOfRound) {
    const int64_t columns = std::min(columnsOfRound, weights.columns - column);
    const int64_t blocks = ceilDiv(columns, kAmxColumns);
    at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        packColumns(kernels, weights, column + block * kAmxColumns,
                    std::min(kAmxColumns, columns - block * kAmxColumns), panels + block * panelSize);
      }
    });
    const Round round{kernels, left, stepOffsets, panels, panelSize, column, columns, bias, result, weights.columns};
    // With few tasks of rows, the threads also share out the columns.
    const int64_t groups = std::min(blocks, ceilDiv(kAmxTasksOfThread * at::get_num_threads(), rowTasks));
    at::parallel_for(0, rowTasks * groups, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> sums;
      for (int64_t item = begin; item < end; ++item) {
        const int64_t task = item / groups, group = item % groups;
        round.compute(left.rows * task / rowTasks, left.rows * (task + 1) / rowTasks, blocks * group / groups,
                      blocks * (group + 1) / groups, sums);
      }
    });
  }
}

void amxLinear(const Kernels& kernels, const at::Tensor& x, const ProductWeights& weights, const float* bias,
               const at::Tensor& result) {
  const AmxLeft left{bits(x), x.size(0), weights.depth, {0}, {}};
  amxProduct(kernels, left, weights, bias, static_cast<uint16_t*>(result.mutable_data_ptr()));
}

void amxConvolution(const Kernels& kernels, const at::Tensor& x, const ProductWeights& weights, const float* bias,
                    const at::Tensor& result) {
  // A row of pixels is followed by one pixel of zeros, and an image by one row of zeros. These are the pixels beyond
  // all four edges: the pixel to the right of a row is also the one to the left of the next row. So each tap of a pixel
  // lies at one distance from it, wherever the pixel is.
  const int64_t n = x.size(0), depth = x.size(1), height = x.size(2), width = x.size(3);
  const int64_t pitch = width + 1, pixels = n * (height + 1) * pitch, margin = pitch + 1;
  const at::Tensor padded = at::zeros({margin + pixels + margin + kAmxRows, depth}, x.options());
  padded.narrow(0, margin, pixels)
      .view({n, height + 1, pitch, depth})
      .narrow(1, 0, height)
      .narrow(2, 0, width)
      .copy_(x.permute({0, 2, 3, 1}));
  AmxLeft left{bits(padded) + margin * depth, std::max(pixels - pitch, kAmxRows), depth, {}, {}};
  for (int64_t y = -1; y <= 1; ++y) {
    for (int64_t at = -1; at <= 1; ++at) left.tapOffsets.push_back((y * pitch + at) * depth);
  }
  left.targets.assign(left.rows, -1);
  for (int64_t row = 0; row < n * height; ++row) {
    for (int64_t at = 0; at < width; ++at) {
      left.targets[(row / height * (height + 1) + row % height) * pitch + at] = row * width + at;
    }
  }
  amxProduct(kernels, left, weights, bias, static_cast<uint16_t*>(result.mutable_data_ptr()));
}

}  // namespace dan::ops::cpu
