// These are the innermost loops. They are written once for vectors of any width (*_loops.h on vector_*.h) and compiled
// for each instruction set (avx2.cpp, avx512.cpp). The choice between them is made at run time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

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

// One block of a bfloat16 product on AMX: sums[r][c] (+)= sum over s, w and i of left[r][offset(s) + 2 w + i] times
// half i of right[16 s + w][c], for 32 rows r and s < steps. A word of `right` holds two bfloat16 values. The columns c
// >= 16 begin `secondRight` words after the first ones, and the rows r >= 16 `secondLeft` values.
constexpr int64_t kAmxRows = 32, kAmxColumns = 32;
constexpr int64_t kAmxTileRows = 16;
constexpr int64_t kAmxWords = 16;             // words that one step takes of each row
constexpr int64_t kAmxDepth = 2 * kAmxWords;  // values that one step takes of each row
struct AmxOperands {
  const uint16_t* left;
  int64_t leftStride;          // values
  int64_t secondLeft;          // values
  const int64_t* stepOffsets;  // offset(s), or null where offset(s) = kAmxDepth * s
  int64_t steps;
  const float* right;
  int64_t rightStride, secondRight;  // words
  float* sums;
  int64_t sumStride;  // floats
  bool accumulate;
};
// A thread must call configure() before products and release() after them.
struct AmxProducts {
  void (*configure)();
  void (*release)();
  void (*multiply)(const AmxOperands& operands);        // 32 columns
  void (*multiplyNarrow)(const AmxOperands& operands);  // the first 16 columns only
};

// result[targets[r] * resultStride + c] = sums[r * sumStride + c] + bias[c] in bfloat16, for c < columns and all rows r
// whose target is not negative.
struct RoundingTask {
  const float* sums;
  int64_t sumStride, rows, columns;
  const int64_t* targets;
  const float* bias;  // (columns) or null
  uint16_t* result;
  int64_t resultStride;
};

// In Winograd's F(4x4, 3x3), a tile reads 6 x 6 pixels and writes 4 x 4. See winograd4.h.
constexpr int kWinograd4Patch = 6, kWinograd4Tile = 4;
constexpr int kWinograd4Positions = kWinograd4Patch * kWinograd4Patch;
// Values of a pixel lie side by side. The strides count floats from one pixel to the next.
struct Winograd4Pixels {
  const float* data;
  int64_t rowStride, columnStride;
};
// result[r][c] (+)= sum over k < depth of left[r * rowStride + k * depthStride] * right[k * rightStride + c]. `rows` is
// a multiple of tileRows, and `columns` one of lanes.
struct MatrixTask {
  const float* left;
  int64_t rowStride, depthStride;
  const float* right;
  int64_t rightStride;
  float* result;
  int64_t resultStride;
  int64_t rows, depth, columns;
  bool accumulate;
};
// Results have a plane for each of the 36 positions. Planes begin positionStride floats apart.
struct Winograd4Kernels {
  int64_t lanes, tileRows;
  // Transform the 6 x 6 pixels that a tile reads, and the gradients of the 4 x 4 pixels that it writes. Write
  // result[k] of each position for k < depth, and zeros up to the next multiple of `lanes`.
  void (*transformPatch)(const Winograd4Pixels& pixels, int64_t depth, float* result, int64_t positionStride);
  void (*transformGradient)(const Winograd4Pixels& pixels, int64_t depth, float* result, int64_t positionStride);
  // Transforms the sums of a tile to its 4 x 4 pixels. Reads them up to the next multiple of `lanes`. `bias` has
  // `columns` floats or is null. With `accumulate` the values are added to the pixels.
  void (*transformSums)(const float* sums, int64_t positionStride, const float* bias, bool accumulate, int64_t columns,
                        float* pixels, int64_t rowStride, int64_t columnStride);
  // Transforms `count` kernels, taps[tap][i], and sums of gradients to the gradients of kernels. `count` is a multiple
  // of `lanes`.
  void (*transformKernels)(const float* taps, int64_t count, float* result, int64_t positionStride);
  void (*gatherKernelGradients)(const float* sums, int64_t positionStride, int64_t count, float* taps);
  void (*multiply)(const MatrixTask& task);
};

// The passes of batch normalization and ReLU (ops/batch_norm_relu.h) read rows of `width` floats, a multiple of lanes.
// A column belongs to one channel.
struct NormGradient {
  const float *gradient, *result, *x;  // the gradient of the results, the results and the input
  const float* mean;                   // of each column's channel
  int64_t width;
};
struct NormFactors {
  const float *ofGradient, *ofDistance, *offset;  // for each column
};
struct BatchNormReluLoops {
  int64_t lanes;
  // Writes the mean of each column, and the sum of the squared distances from it.
  void (*columnMoments)(const float* x, int64_t rows, int64_t width, float* means, float* squares);
  // result = max(0, x * scale + offset)
  void (*scaleAndCut)(const float* x, int64_t rows, int64_t width, const float* scale, const float* offset,
                      float* result);
  // The gradient of the norm's output is that of the result where the result is positive, and else 0. The first sums it
  // over each column, and its product with the distance of x from the mean. The second writes
  // gradient * ofGradient + (x - mean) * ofDistance + offset.
  void (*gradientSums)(const NormGradient& task, int64_t rows, float* sums, float* products);
  void (*gradientOfInput)(const NormGradient& task, int64_t rows, const NormFactors& factors, float* result);
};

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

  // These two are null where the CPU does not compute in bfloat16. packPairs writes panel[w][c] for `words` words and
  // panelColumns columns: the pair of values c of the rows 2 w and 2 w + 1, which begin `rowStride` values apart. Zeros
  // fill the columns after the last.
  void (*roundSums)(const RoundingTask& task);
  void (*packPairs)(const uint16_t* rows, int64_t rowStride, int64_t columns, int64_t words, float* panel);
  const AmxProducts* amx;  // null where the CPU has no AMX
  const Winograd4Kernels* winograd4;
  const BatchNormReluLoops* batchNormRelu;
};

// These are the rows of the table of kernels. Each needs what the rows before it need.
enum class Capability { kAvx2, kAvx512, kAvx512BFloat16, kAmx };
struct KernelSet {
  const char* name;  // avx2, avx512, avx512_bf16, amx
  Capability capability;
  Kernels kernels;
  bool isSupported;  // by this CPU and its operating system
  bool isUsed;       // for the most capable set that is supported and allowed, and for those that it extends
};
const std::array<KernelSet, 4>& kernelSets();

// Returns the kernels of the last set that is used, or null where none is. libtorch's variable ATEN_CPU_CAPABILITY
// (default, avx2) can lower the choice.
const Kernels* kernels();

// For tests: from now on kernels() returns these, or the machine's own ones where `replacement` is null.
void replaceKernels(const Kernels* replacement);
bool areKernelsReplaced();

// Returns the capability of that name, or nothing.
std::optional<Capability> capabilityNamed(std::string_view name);

// Lowers the choice of this process to sets up to `most`, and libtorch's and oneDNN's choice with it. The call must
// come before any other of this file and before libtorch computes anything.
void limitCapability(Capability most);

// Returns true if this CPU has AMX but the operating system does not let this process use it.
bool isAmxRefused();

// Returns true if libtorch and these kernels compute in bfloat16 itself on this CPU. Otherwise they compute in float32
// and round before and after.
bool computesInBFloat16();

// Each is defined in the file that is compiled for its instruction set.
extern const Kernels kAvx2Kernels, kAvx512Kernels;
extern const AmxProducts kAmxProducts;
void attendBFloat16(const AttentionTask& task, float* scratch);
void attendAmx(const AttentionTask& task, float* scratch);
int64_t amxAttentionScratch(int64_t keys, int64_t width);
void roundSums(const RoundingTask& task);
void packPairs(const uint16_t* rows, int64_t rowStride, int64_t columns, int64_t words, float* panel);

}  // namespace dan::ops::cpu
