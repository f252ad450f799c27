// These are the innermost loops. They are written once for vectors of any width (*_loops.h on vector_*.h) and compiled
// for each instruction set (avx2.cpp, avx512.cpp). The choice between them is made at run time.
#pragma once

#include <array>
#include <cstdint>

namespace dan::ops::cpu {

enum class Storage { kFloat, kHalf, kBFloat16 };

// Strides count elements.
struct PanelSource {
  const void* data;
  Storage storage;
  int64_t columnStride, tapStride, depthStride;
};

// Rows of `width` values begin `stride` values apart. Values are float, or bfloat16 as raw bits.
struct HeadRows {
  const void* data;
  int64_t count, stride;
};

// One task computes softmax attention of some queries of one head over all its keys.
struct AttentionTask {
  HeadRows queries, keys, values;
  int64_t width;
  float scale;
  void* result;  // (queries.count, width); rows begin `resultStride` values apart
  int64_t resultStride;
};

// A task covers one pair of tokens with `width` floats each. ops/pair_norm.h and ops/pair_mix.h define the operations.
struct PairNormTask {
  const float *whole, *part, *weight, *bias;
  float eps;
  int64_t width;
  float *anomaly, *difference;
};
struct PairMixTask {
  float *whole, *part;
  const float *anomaly, *difference, *products, *base, *scoreBias;
  int64_t width;
};

// In Winograd's F(2x2, 3x3), a tile reads 4 x 4 pixels and writes 2 x 2.
constexpr int64_t kPatch = 4;
constexpr int64_t kPositions = kPatch * kPatch;

constexpr int64_t kMostTileRows = 8;

struct Kernels {
  // Products are computed in tiles: tileRows rows times a panel of panelColumns columns.
  int64_t tileRows, panelColumns;

  // Widens `columns` (at most panelColumns) columns of weights, with `depth` values per tap, to
  // panel[tap][k][panelColumns]. Zeros fill the columns after the last.
  void (*packPanel)(const PanelSource& source, int64_t columns, int64_t taps, int64_t depth, float* panel);

  // Computes one tile: result[r][c] (+)= sum of starts[tap * startStride + r][k] * panel[tap][k][c]. All tileRows rows
  // are read, but only `rows` rows and `columns` columns are written. The sum begins from `bias`, or from zero where it
  // is null. With `accumulate` it is added to the result.
  void (*multiplyTile)(const float* const* starts, int64_t startStride, int64_t taps, int64_t depth, const float* panel,
                       const float* bias, bool accumulate, float* result, int64_t resultStride, int64_t rows,
                       int64_t columns);

  // pixels: kPositions pointers to `depth` floats, row by row. Writes result[p * positionStride + k] for every position
  // p.
  void (*transformPatch)(const float* const* pixels, int64_t depth, float* result, int64_t positionStride);
  // Transforms a panel of 3 x 3 kernels, [tap][k][panelColumns], to result[p * positionStride + k * panelColumns + c].
  void (*transformKernels)(const float* panel, int64_t depth, float* result, int64_t positionStride);
  // Transforms the sums of one tile, sums[p * positionStride + c] for c < panelColumns, to its 2 x 2 pixels. Null
  // pixels are not written. `bias` has `columns` floats or is null. With `accumulate` the values are added to the
  // pixels.
  void (*transformSums)(const float* sums, int64_t positionStride, const float* bias, bool accumulate, int64_t columns,
                        float* const* pixels);

  // Returns the number of scratch floats that attention to `keys` keys needs.
  int64_t (*attentionScratch)(int64_t keys, int64_t width);
  void (*attendFloat)(const AttentionTask& task, float* scratch);
  void (*attendBFloat16)(const AttentionTask& task, float* scratch);  // null where the CPU cannot multiply them

  // These need tokens that fill whole vectors. panelColumns is two vectors wide.
  void (*pairNorm)(const PairNormTask& task);
  void (*pairMix)(const PairMixTask& task);
};

// Returns this CPU's kernels, or null where it has neither AVX-512 nor AVX2. libtorch's variable ATEN_CPU_CAPABILITY
// (default, avx2) can lower the choice.
const Kernels* kernels();

// This lists every set of kernels in this build. `used` is true for the sets that run on this CPU.
struct KernelSet {
  const char* name;
  bool used;
};
std::array<KernelSet, 3> kernelSets();

// Returns true if libtorch and these kernels compute in bfloat16 itself on this CPU. Otherwise they compute in float32
// and round before and after.
bool computesInBFloat16();

// Each is defined in the file that is compiled for its instruction set.
extern const Kernels kAvx2Kernels, kAvx512Kernels;
void attendBFloat16(const AttentionTask& task, float* scratch);

}  // namespace dan::ops::cpu
