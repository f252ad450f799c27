// The innermost loops, written once for vectors of any width (*_loops.h on vector_*.h) and compiled for each
// instruction set (avx2.cpp, avx512.cpp); which of them run is decided when the program does.
#pragma once

#include <array>
#include <cstdint>

namespace dan::ops::cpu {

enum class Storage { kFloat, kHalf, kBFloat16 };

// Weights by strides, in elements.
struct PanelSource {
  const void* data;
  Storage storage;
  int64_t columnStride, tapStride, depthStride;
};

// Rows of `width` values, `stride` values apart. Values are float, or bfloat16 as their bits.
struct HeadRows {
  const void* data;
  int64_t count, stride;
};

// Softmax attention of some queries of one head over all its keys.
struct AttentionTask {
  HeadRows queries, keys, values;
  int64_t width;
  float scale;
  void* result;  // (queries.count, width), rows `resultStride` values apart
  int64_t resultStride;
};

// One pair of tokens, `width` floats each: see ops/pair_norm.h and ops/pair_mix.h.
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

// Winograd's F(2x2, 3x3): a tile reads 4 x 4 pixels and writes 2 x 2.
constexpr int64_t kPatch = 4;
constexpr int64_t kPositions = kPatch * kPatch;

constexpr int64_t kMostTileRows = 8;

struct Kernels {
  // Products are computed tile by tile, so many rows times a panel of so many columns.
  int64_t tileRows, panelColumns;

  // Widens `columns` (at most panelColumns) columns of weights, depth `depth` of every tap, to
  // panel[tap][k][panelColumns], zeros behind the last column.
  void (*packPanel)(const PanelSource& source, int64_t columns, int64_t taps, int64_t depth, float* panel);

  // One tile: result[r][c] (+)= sum of starts[tap * startStride + r][k] * panel[tap][k][c] for tileRows rows, of which
  // `rows` are written, and `columns` columns. Begins from `bias`, or where it is null from zero, and adds to
  // what is in result where `accumulate`.
  void (*multiplyTile)(const float* const* starts, int64_t startStride, int64_t taps, int64_t depth, const float* panel,
                       const float* bias, bool accumulate, float* result, int64_t resultStride, int64_t rows,
                       int64_t columns);

  // pixels: kPositions starts of `depth` floats, row by row; result[p * positionStride + k] for every position p.
  void (*transformPatch)(const float* const* pixels, int64_t depth, float* result, int64_t positionStride);
  // A panel of 3 x 3 kernels, [tap][k][panelColumns], to result[p * positionStride + k * panelColumns + c].
  void (*transformKernels)(const float* panel, int64_t depth, float* result, int64_t positionStride);
  // Sums of one tile, sums[p * positionStride + c] for c < panelColumns, to its 2 x 2 pixels, of which null ones are
  // not written: with bias (`columns` floats or null), and added to what is there where `accumulate`.
  void (*transformSums)(const float* sums, int64_t positionStride, const float* bias, bool accumulate, int64_t columns,
                        float* const* pixels);

  // Floats of scratch that attention to so many keys needs, and attention.
  int64_t (*attentionScratch)(int64_t keys, int64_t width);
  void (*attendFloat)(const AttentionTask& task, float* scratch);
  void (*attendBFloat16)(const AttentionTask& task, float* scratch);  // null where the CPU has no products of them

  // Of tokens of whole vectors, which panelColumns is two of.
  void (*pairNorm)(const PairNormTask& task);
  void (*pairMix)(const PairMixTask& task);
};

// Those of this CPU; null where it has neither AVX-512 nor AVX2. libtorch's ATEN_CPU_CAPABILITY (default, avx2) asks
// for less.
const Kernels* kernels();

// Every set of kernels in this build, and whether it is used here.
struct KernelSet {
  const char* name;
  bool used;
};
std::array<KernelSet, 3> kernelSets();

// Whether libtorch and these kernels compute in bfloat16 itself here, rather than in float32 between two roundings.
bool computesInBFloat16();

// Each in the file that is compiled for it.
extern const Kernels kAvx2Kernels, kAvx512Kernels;
void attendBFloat16(const AttentionTask& task, float* scratch);

}  // namespace dan::ops::cpu
