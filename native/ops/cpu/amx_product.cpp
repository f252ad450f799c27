#include "ops/cpu/amx_product.h"

#include <algorithm>
#include <cstring>

#include "ops/cpu/ceil_div.h"
#include "ops/cpu/share_tasks.h"

namespace dan::ops::cpu {

namespace {

// The packed weights of a round stay in the last-level cache. A chunk of the depth of 32 of their columns stays in the
// second-level cache with the rows of a task. We measured that loading and storing the sums between shorter chunks
// costs more than reading the chunk from the second-level cache for each 32 rows.
constexpr int64_t kBytesOfRound = 8 << 20;
constexpr int64_t kMostStepsOfChunk = 384;
constexpr int64_t kRowsOfTask = 256;
constexpr int64_t kAmxTasksOfThread = 8;
// Up to so many tasks of rows, a thread packs the columns that it multiplies, which then stay in its own cache. With
// more rows, it would read the rows too often. With fewer blocks of columns, threads would wait for the last ones.
constexpr int64_t kFewTasks = 4;
constexpr int64_t kFewestBlocksOfThread = 4;
constexpr int64_t kSumsOfBlock = kAmxRows * kAmxColumns;

const uint16_t* bits(const at::Tensor& x) { return static_cast<const uint16_t*>(x.const_data_ptr()); }

// Packs `columns` (at most kAmxColumns) columns of weights to words of pairs, [tap][word][kAmxColumns]. Zeros fill the
// columns after the last.
void packColumns(const Kernels& kernels, const ProductWeights& weights, int64_t first, int64_t columns, float* panel) {
  const auto* data = static_cast<const uint16_t*>(weights.data) + first * weights.columnStride;
  const int64_t words = weights.depth / 2;
  const bool isWhole = reinterpret_cast<uintptr_t>(data) % sizeof(float) == 0 && weights.columnStride % 2 == 0 &&
                       (weights.taps == 1 || weights.tapStride % 2 == 0);
  if (weights.depthStride == 1 && isWhole) {  // Each pair lies in memory as a word.
    kernels.packPanel({data, Storage::kFloat, weights.columnStride / 2, weights.tapStride / 2, 1}, columns,
                      weights.taps, words, panel);
    return;
  }
  for (int64_t tap = 0; tap < weights.taps; ++tap) {
    if (weights.columnStride == 1) {
      kernels.packPairs(data + tap * weights.tapStride, weights.depthStride, columns, words, panel);
      panel += words * kAmxColumns;
      continue;
    }
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

// One round multiplies rows by one group of packed columns.
struct Round {
  const Kernels& kernels;
  const std::vector<int64_t>& stepOffsets;
  const float* panels;  // [block of columns][step][word][column]
  int64_t panelSize, column, columns;
  const float* bias;
  uint16_t* result;
  int64_t resultStride;

  // Computes the rows of a task in the blocks [first, last) of columns.
  void compute(const AmxRowsOfTask& rows, int64_t first, int64_t last) const {
    const auto tiles = static_cast<int64_t>(rows.tiles.size()), steps = static_cast<int64_t>(stepOffsets.size());
    const int64_t pairs = ceilDiv(tiles, 2), stepsOfChunk = ceilDiv(steps, ceilDiv(steps, kMostStepsOfChunk));
    const at::Tensor buffer = at::empty({pairs * kSumsOfBlock}, at::kFloat);
    auto* const sums = buffer.mutable_data_ptr<float>();
    kernels.amx->configure();
    for (int64_t block = first; block < last; ++block) {
      for (int64_t step = 0; step < steps; step += stepsOfChunk) {
        const int64_t count = std::min(stepsOfChunk, steps - step);
        const float* right = panels + block * panelSize + step * kAmxWords * kAmxColumns;
        for (int64_t pair = 0; pair < pairs; ++pair) {
          // The last of an odd number of tiles is multiplied twice.
          const int64_t upper = rows.tiles[2 * pair], lower = rows.tiles[std::min(2 * pair + 1, tiles - 1)];
          float* const ofPair = sums + pair * kSumsOfBlock;
          kernels.amx->multiply({rows.data + upper, rows.stride, lower - upper, stepOffsets.data() + step, count, right,
                                 kAmxColumns, kAmxWords, ofPair, kAmxColumns, step > 0});
          if (step + count == steps) write(rows, pair, block, ofPair);
        }
      }
    }
    kernels.amx->release();
  }

  void write(const AmxRowsOfTask& rows, int64_t pair, int64_t block, const float* sums) const {
    const int64_t first = pair * kAmxRows, begin = column + block * kAmxColumns;
    const int64_t count = std::min<int64_t>(kAmxRows, static_cast<int64_t>(rows.targets.size()) - first);
    kernels.roundSums({sums, kAmxColumns, count, std::min(kAmxColumns, columns - block * kAmxColumns),
                       rows.targets.data() + first, bias == nullptr ? nullptr : bias + begin, result + begin,
                       resultStride});
  }
};

// The floats that the packed weights of a block of columns take.
int64_t sizeOfPanel(const ProductWeights& weights) { return weights.taps * weights.depth / 2 * kAmxColumns; }

int64_t columnsOfBlock(const ProductWeights& weights, int64_t block) {
  return std::min(kAmxColumns, weights.columns - block * kAmxColumns);
}

// Each thread packs the columns that it multiplies, one block at a time, and keeps all rows.
void multiplyFewRows(const Kernels& kernels, const AmxLeft& left, const std::vector<int64_t>& stepOffsets,
                     const ProductWeights& weights, const float* bias, uint16_t* result) {
  const int64_t panelSize = sizeOfPanel(weights);
  shareTasks(ceilDiv(weights.columns, kAmxColumns), [&](TaskSource& blocks) {
    const at::Tensor buffer = at::empty({panelSize}, at::kFloat);
    auto* const panel = buffer.mutable_data_ptr<float>();
    std::vector<AmxRowsOfTask> all(left.tasks);
    for (int64_t task = 0; task < left.tasks; ++task) left.read(task, all[task]);
    while (const auto block = blocks.next()) {
      const int64_t column = *block * kAmxColumns, columns = columnsOfBlock(weights, *block);
      packColumns(kernels, weights, column, columns, panel);
      const Round round{kernels, stepOffsets, panel, panelSize, column, columns, bias, result, weights.columns};
      for (const AmxRowsOfTask& rows : all) round.compute(rows, 0, 1);
    }
  });
}

}  // namespace

bool amxTakes(const ProductWeights& weights) {
  return weights.dtype == at::kBFloat16 && weights.depth > 0 && weights.depth % kAmxDepth == 0;
}

void amxProduct(const Kernels& kernels, const AmxLeft& left, const ProductWeights& weights, const float* bias,
                uint16_t* result) {
  TORCH_INTERNAL_ASSERT(kernels.amx != nullptr && kernels.panelColumns == kAmxColumns && amxTakes(weights));
  if (weights.columns == 0) return;
  std::vector<int64_t> stepOffsets;
  for (const int64_t offset : left.tapOffsets) {
    for (int64_t k = 0; k < weights.depth; k += kAmxDepth) stepOffsets.push_back(offset + k);
  }
  const int64_t allBlocks = ceilDiv(weights.columns, kAmxColumns), panelSize = sizeOfPanel(weights);
  if (left.tasks <= kFewTasks && allBlocks >= kFewestBlocksOfThread * at::get_num_threads()) {
    multiplyFewRows(kernels, left, stepOffsets, weights, bias, result);
    return;
  }
  const int64_t bytesOfBlock = panelSize * static_cast<int64_t>(sizeof(float));
  const int64_t blocksOfRound = std::clamp(kBytesOfRound / bytesOfBlock, int64_t{1}, allBlocks);
  const at::Tensor buffer = at::empty({blocksOfRound * panelSize}, at::kFloat);
  auto* const panels = buffer.mutable_data_ptr<float>();
  for (int64_t first = 0; first < allBlocks; first += blocksOfRound) {
    const int64_t blocks = std::min(blocksOfRound, allBlocks - first), column = first * kAmxColumns;
    const int64_t columns = std::min(blocks * kAmxColumns, weights.columns - column);
    shareTasks(blocks, [&](TaskSource& tasks) {
      while (const auto block = tasks.next()) {
        packColumns(kernels, weights, column + *block * kAmxColumns, columnsOfBlock(weights, first + *block),
                    panels + *block * panelSize);
      }
    });
    const Round round{kernels, stepOffsets, panels, panelSize, column, columns, bias, result, weights.columns};
    // With few tasks of rows, the threads also share out the columns.
    const int64_t groups = std::min(blocks, ceilDiv(kAmxTasksOfThread * at::get_num_threads(), left.tasks));
    shareTasks(left.tasks * groups, [&](TaskSource& tasks) {
      AmxRowsOfTask rows;
      int64_t read = -1;
      while (const auto item = tasks.next()) {
        const int64_t task = *item / groups, group = *item % groups;
        if (task != read) left.read(task, rows);
        read = task;
        round.compute(rows, blocks * group / groups, blocks * (group + 1) / groups);
      }
    });
  }
}

void amxLinear(const Kernels& kernels, const at::Tensor& x, const ProductWeights& weights, const float* bias,
               const at::Tensor& result) {
  const int64_t rows = x.size(0), tasks = ceilDiv(rows, kRowsOfTask);
  TORCH_INTERNAL_ASSERT(rows >= kAmxTileRows);
  const auto read = [&](int64_t task, AmxRowsOfTask& of) {
    of = {bits(x), weights.depth, {}, {}, {}};
    const int64_t last = rows * (task + 1) / tasks;
    for (int64_t row = rows * task / tasks; row < last; row += kAmxTileRows) {
      const int64_t first = std::min(row, rows - kAmxTileRows);
      of.tiles.push_back(first * weights.depth);
      for (int64_t r = 0; r < kAmxTileRows; ++r) of.targets.push_back(first + r < last ? first + r : -1);
    }
  };
  amxProduct(kernels, {tasks, {0}, read}, weights, bias, static_cast<uint16_t*>(result.mutable_data_ptr()));
}

namespace {

// The tasks of a 3x3 convolution are rows of pixels. A task copies its rows and those around them, each followed by one
// pixel of zeros. That pixel is the one beyond the right edge, and also the one beyond the left edge of the next row.
// So each tap of a pixel lies at one distance from it, wherever the pixel is.
class ConvolutionRows {
 public:
  // x: (n, c, h, w), channels-last
  explicit ConvolutionRows(const at::Tensor& x)
      : data_(bits(x)),
        depth_(x.size(1)),
        height_(x.size(2)),
        width_(x.size(3)),
        rowsOfTask_(std::clamp<int64_t>(kRowsOfTask / width_, 1, height_)),
        tasksOfImage_(ceilDiv(height_, rowsOfTask_)),
        tasks_(x.size(0) * tasksOfImage_) {}

  int64_t tasks() const { return tasks_; }

  std::vector<int64_t> tapOffsets() const {
    std::vector<int64_t> offsets;
    for (int64_t y = -1; y <= 1; ++y) {
      for (int64_t x = -1; x <= 1; ++x) offsets.push_back((y * pitch() + x) * depth_);
    }
    return offsets;
  }

  void read(int64_t task, AmxRowsOfTask& rows) const {
    const int64_t image = task / tasksOfImage_, top = task % tasksOfImage_ * rowsOfTask_;
    const int64_t count = std::min(rowsOfTask_, height_ - top);
    if (!rows.scratch.defined()) rows.scratch = at::empty({pixelsOfScratch() * depth_}, at::kBFloat16);
    auto* const scratch = static_cast<uint16_t*>(rows.scratch.mutable_data_ptr());
    copy(image, top, count, scratch);
    rows.data = scratch + (1 + pitch()) * depth_;  // the first pixel that the task computes
    rows.stride = depth_;
    rows.tiles.clear();
    rows.targets.clear();
    // Tiles that do not cross rows compute nothing in vain, where they fill the rows.
    const bool fillsRows = width_ % kAmxTileRows == 0;
    const int64_t positions = fillsRows ? count * width_ : count * pitch();
    for (int64_t position = 0; position < positions; position += kAmxTileRows) {
      const int64_t first = fillsRows ? position / width_ * pitch() + position % width_ : position;
      rows.tiles.push_back(first * depth_);
      for (int64_t pixel = first; pixel < first + kAmxTileRows; ++pixel) {
        const int64_t y = pixel / pitch(), x = pixel % pitch();
        rows.targets.push_back(y < count && x < width_ ? (image * height_ + top + y) * width_ + x : -1);
      }
    }
  }

 private:
  int64_t pitch() const { return width_ + 1; }

  // A pixel of zeros comes before the rows, and the last tile may read beyond them.
  int64_t pixelsOfScratch() const { return 1 + (rowsOfTask_ + 2) * pitch() + 1 + kAmxTileRows; }

  // Copies the rows [top - 1, top + count].
  void copy(int64_t image, int64_t top, int64_t count, uint16_t* to) const {
    to = std::fill_n(to, depth_, uint16_t{0});
    for (int64_t y = top - 1; y <= top + count; ++y) {
      if (y >= 0 && y < height_) {
        to = std::copy_n(data_ + (image * height_ + y) * width_ * depth_, width_ * depth_, to);
        to = std::fill_n(to, depth_, uint16_t{0});
      } else {
        to = std::fill_n(to, pitch() * depth_, uint16_t{0});
      }
    }
  }

  const uint16_t* data_;
  int64_t depth_, height_, width_, rowsOfTask_, tasksOfImage_, tasks_;
};

}  // namespace

void amxConvolution(const Kernels& kernels, const at::Tensor& x, const ProductWeights& weights, const float* bias,
                    const at::Tensor& result) {
  const at::Tensor pixels = x.contiguous(at::MemoryFormat::ChannelsLast);
  const ConvolutionRows rows(pixels);
  const auto read = [&](int64_t task, AmxRowsOfTask& of) { rows.read(task, of); };
  amxProduct(kernels, {rows.tasks(), rows.tapOffsets(), read}, weights, bias,
             static_cast<uint16_t*>(result.mutable_data_ptr()));
}

}  // namespace dan::ops::cpu
