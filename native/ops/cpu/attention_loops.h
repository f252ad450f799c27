// This computes softmax attention one block of keys at a time with a running maximum and sum (FlashAttention, arXiv
// 2205.14135). Operands are 32-bit words of the arithmetic `A`. A word holds one float, or two bfloat16 values that one
// instruction multiplies and adds. The products of an arithmetic are those of VectorProducts, or of AMX
// (bfloat16_loops.h).
#pragma once

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>

#include "ops/cpu/kernels.h"
#include "ops/cpu/product_loops.h"

namespace dan::ops::cpu {

namespace {

// The keys and values of a block stay in the second-level cache while queries pass.
constexpr int64_t kBlockKeys = 512;

int64_t roundUp(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

// result[r] = factors[r] * result[r] + sum over w of left[r][w] . right[w], `Vectors` vectors wide. Without factors the
// result is only the sum.
template <class A, int Vectors>
void addProducts(const float* const left[kTileRows], int64_t words, const float* right, int64_t rightStride,
                 const float* factors, float* result, int64_t resultStride) {
  Vector sums[kTileRows][Vectors];
  for (int r = 0; r < kTileRows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      sums[r][v] =
          factors == nullptr ? zero() : multiply(broadcast(factors[r]), load(result + r * resultStride + v * kLanes));
    }
  }
  for (int64_t w = 0; w < words; ++w, right += rightStride) {
    Vector b[Vectors];
    for (int v = 0; v < Vectors; ++v) b[v] = load(right + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows; ++r) {
      const Vector a = broadcast(left[r][w]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sums[r][v] = A::multiplyAdd(a, b[v], sums[r][v]);
    }
  }
  for (int r = 0; r < kTileRows; ++r) {
    for (int v = 0; v < Vectors; ++v) store(result + r * resultStride + v * kLanes, sums[r][v]);
  }
}

// Returns 2 to the power of x, for x <= 0. The series expands around the nearest integer, and has the accuracy that the
// weights of A need.
template <class A>
Vector exp2(Vector x) {
  const Vector power = larger(broadcast(kLeastPower), x), whole = nearestInteger(power), part = subtract(power, whole);
  constexpr int kTerms = static_cast<int>(std::size(A::kExp2Series));
  Vector sum = broadcast(A::kExp2Series[0]);
#pragma GCC unroll 6
  for (int i = 1; i < kTerms; ++i) sum = multiplyAdd(sum, part, broadcast(A::kExp2Series[i]));
  return timesPowerOf2(sum, whole);
}

// These are products of kTileRows queries by vectors. `A` has kValues, the number of values of a word, and multiplyAdd.
template <class A>
struct VectorProducts {
  static constexpr int64_t kRows = kTileRows;
  static constexpr int64_t kBlockQueries = 48;  // a multiple of kRows
  static constexpr int64_t kWordStep = 1;       // The words of a row are a multiple of this number.
  static constexpr int64_t kWidthStep = kLanes;

  static void begin() {}
  static void end() {}

  // Computes scores[r][k] of kRows queries and `padded` keys. The queries lie as [row][word], the keys in panels of
  // kPanelColumns as [word][key].
  static void scoreKeys(const float* queries, int64_t words, const float* keys, int64_t padded, float* scores) {
    const float* left[kTileRows];
    for (int64_t r = 0; r < kTileRows; ++r) left[r] = queries + r * words;
    for (int64_t k = 0; k < padded; k += kPanelColumns) {
      addProducts<A, 2>(left, words, keys + k * words, kPanelColumns, nullptr, scores + k, kBlockKeys);
    }
  }

  // sums[r][d] = factors[r] * sums[r][d] + sum over the words w of weights[r][w] . values[w][d], for d < width.
  static void addValues(const float* rows, int64_t words, const float* values, int64_t width, const float* factors,
                        float* sums) {
    const float* weights[kTileRows];
    for (int64_t r = 0; r < kTileRows; ++r) weights[r] = rows + r * kBlockKeys / A::kValues;
    for (int64_t d = 0; d < width;) {
      const int64_t vectors = std::min(kMaxVectors, (width - d) / kLanes);
      const auto add = vectors == 3 ? addProducts<A, 3> : vectors == 2 ? addProducts<A, 2> : addProducts<A, 1>;
      add(weights, words, values + d, width, factors, sums + d, width);
      d += vectors * kLanes;
    }
  }
};

template <class A>
class Attention {
 public:
  Attention(const AttentionTask& task, float* scratch)
      : task_(task),
        words_(paddedWordsOf(task.width)),
        paddedKeys_(roundUp(task.keys.count, kPanelColumns)),
        paddedWidth_(roundUp(task.width, A::kWidthStep)),
        keys_(scratch),
        values_(keys_ + paddedKeys_ * words_),
        sums_(values_ + paddedKeys_ / A::kValues * paddedWidth_),
        scores_(sums_ + A::kBlockQueries * paddedWidth_),
        weights_(scores_ + A::kRows * kBlockKeys),
        queries_(weights_ + A::kRows * kBlockKeys) {}

  // Returns the number of floats of `scratch`.
  static int64_t scratch(int64_t keys, int64_t width) {
    const int64_t padded = roundUp(width, A::kWidthStep), words = paddedWordsOf(width);
    return roundUp(keys, kPanelColumns) * (words + padded) + A::kBlockQueries * (padded + words) +
           2 * A::kRows * kBlockKeys;
  }

  void run() {
    packKeys();
    packValues();
    A::begin();
    for (int64_t first = 0; first < task_.queries.count; first += A::kBlockQueries) {
      attend(first, std::min(A::kBlockQueries, task_.queries.count - first));
    }
    A::end();
  }

 private:
  using Value = typename A::Value;

  static int64_t wordsOf(int64_t width) { return (width + A::kValues - 1) / A::kValues; }
  static int64_t paddedWordsOf(int64_t width) { return roundUp(wordsOf(width), A::kWordStep); }

  // Keys lie in panels of kPanelColumns keys, [word][key]. An odd bfloat16 at the end is paired with a zero. Words
  // after the last are zeros.
  void packKeys() {
    for (int64_t key = 0; key < task_.keys.count; key += kPanelColumns) {
      const int64_t count = std::min(kPanelColumns, task_.keys.count - key);
      float* panel = keys_ + key * words_;
      int64_t w = 0;
      if (task_.width % A::kValues == 0 && task_.keys.stride % A::kValues == 0) {
        const auto* data = static_cast<const Value*>(task_.keys.data) + key * task_.keys.stride;
        w = task_.width / A::kValues;
        packPanel({data, Storage::kFloat, task_.keys.stride / A::kValues, 0, 1}, count, 1, w, panel);
      }
      for (; w < wordsOf(task_.width); ++w) {
        for (int64_t k = 0; k < kPanelColumns; ++k) {
          panel[w * kPanelColumns + k] = k < count ? word(task_.keys, key + k, w) : 0.0F;
        }
      }
      std::fill_n(panel + w * kPanelColumns, (words_ - w) * kPanelColumns, 0.0F);
    }
  }

  float word(const HeadRows& rows, int64_t row, int64_t w) const {
    return A::word(static_cast<const Value*>(rows.data) + row * rows.stride + w * A::kValues,
                   std::min<int64_t>(A::kValues, task_.width - w * A::kValues));
  }

  // Values lie as [key word][dimension]. Both dimensions are padded with zeros.
  void packValues() {
    for (int64_t w = 0; w < paddedKeys_ / A::kValues; ++w) {
      A::packValues(task_.values, w * A::kValues, task_.width, paddedWidth_, values_ + w * paddedWidth_);
    }
  }

  void attend(int64_t first, int64_t count) {
    const int64_t rows = roundUp(count, A::kRows);
    std::fill_n(sums_, rows * paddedWidth_, 0.0F);
    std::fill_n(maxima_, rows, -std::numeric_limits<float>::infinity());
    std::fill_n(totals_, rows, 0.0F);
    // The last tile is always full, so it repeats the last query.
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t row = first + std::min(r, count - 1);
      float* words = queries_ + r * words_;
      // An odd bfloat16 at the end is paired with a zero.
      const size_t bytes = static_cast<size_t>(task_.width) * sizeof(Value);
      std::memcpy(words, static_cast<const Value*>(task_.queries.data) + row * task_.queries.stride, bytes);
      std::memset(reinterpret_cast<char*>(words) + bytes, 0, static_cast<size_t>(words_) * sizeof(float) - bytes);
    }
    for (int64_t key = 0; key < task_.keys.count; key += kBlockKeys) {
      for (int64_t r = 0; r < rows; r += A::kRows) attendTile(r, key);
    }
    for (int64_t r = 0; r < count; ++r) {
      A::store(sums_ + r * paddedWidth_, 1 / totals_[r], task_.width,
               static_cast<Value*>(task_.result) + (first + r) * task_.resultStride);
    }
  }

  // This handles kRows queries, beginning at row `first` of the block, over the keys of one block.
  void attendTile(int64_t first, int64_t key) {
    const int64_t count = std::min(kBlockKeys, task_.keys.count - key);
    const int64_t padded = roundUp(count, kPanelColumns);
    A::scoreKeys(queries_ + first * words_, words_, keys_ + key * words_, padded, scores_);
    float factors[A::kRows];
    for (int64_t r = 0; r < A::kRows; ++r) factors[r] = weigh(first + r, r, count, padded);
    A::addValues(weights_, padded / A::kValues, values_ + key / A::kValues * paddedWidth_, paddedWidth_, factors,
                 sums_ + first * paddedWidth_);
  }

  // Turns row r of the scores into weights relative to the running maximum of query `row`. Returns the factor that
  // rescales the sums so far.
  float weigh(int64_t row, int64_t r, int64_t count, int64_t padded) {
    float* scores = scores_ + r * kBlockKeys;
    std::fill(scores + count, scores + padded, -std::numeric_limits<float>::infinity());
    // A row is a whole number of pairs of vectors. Each vector of a pair has its own maximum and sum, so that they do
    // not wait for each other.
    static_assert(kPanelColumns == 2 * kLanes);
    Vector largest[2] = {load(scores), load(scores + kLanes)};
    for (int64_t k = kPanelColumns; k < padded; k += kPanelColumns) {
      for (int i = 0; i < 2; ++i) largest[i] = larger(largest[i], load(scores + k + i * kLanes));
    }
    const float scale = task_.scale * 1.44269504F;  // log2(e), since weights are powers of 2
    const float maximum = std::max(maxima_[row], largestOf(larger(largest[0], largest[1])) * scale);
    const Vector factor = broadcast(scale), offset = broadcast(maximum);
    Vector totals[2] = {zero(), zero()};
    for (int64_t k = 0; k < padded; k += kPanelColumns) {
      for (int i = 0; i < 2; ++i) {
        const int64_t at = k + i * kLanes;
        const Vector weight = exp2<A>(multiplySubtract(load(scores + at), factor, offset));
        totals[i] = add(totals[i], weight);
        A::storeWeights(weights_ + r * kBlockKeys / A::kValues, at, weight);
      }
    }
    const Vector total = add(totals[0], totals[1]);
    const float change = largestOf(exp2<A>(broadcast(maxima_[row] - maximum)));
    totals_[row] = totals_[row] * change + sumOf(total);
    maxima_[row] = maximum;
    return change;
  }

  const AttentionTask& task_;
  const int64_t words_, paddedKeys_, paddedWidth_;
  float *keys_, *values_, *sums_, *scores_, *weights_, *queries_;
  float maxima_[A::kBlockQueries], totals_[A::kBlockQueries];
};

struct FloatArithmetic : VectorProducts<FloatArithmetic> {
  using Value = float;
  static constexpr int64_t kValues = 1;  // per word
  static constexpr float kExp2Series[] = {1.5403530e-4F, 1.3333558e-3F, 9.6181291e-3F, 5.5504109e-2F,
                                          2.4022651e-1F, 6.9314718e-1F, 1.0F};
  static Vector multiplyAdd(Vector a, Vector b, Vector sum) { return cpu::multiplyAdd(a, b, sum); }
  static float word(const float* values, int64_t) { return *values; }
  static void packValues(const HeadRows& rows, int64_t key, int64_t width, int64_t paddedWidth, float* into) {
    std::fill_n(into, paddedWidth, 0.0F);
    if (key < rows.count) std::copy_n(static_cast<const float*>(rows.data) + key * rows.stride, width, into);
  }
  static void storeWeights(float* weights, int64_t k, Vector weight) { cpu::store(weights + k, weight); }
  static void store(const float* sums, float factor, int64_t width, float* result) {
    for (int64_t d = 0; d < width; ++d) result[d] = sums[d] * factor;
  }
};

// This is enough for bfloat16 too, whose words are half as many.
inline int64_t attentionScratch(int64_t keys, int64_t width) {
  return Attention<FloatArithmetic>::scratch(keys, width);
}

inline void attendFloat(const AttentionTask& task, float* scratch) { Attention<FloatArithmetic>(task, scratch).run(); }

}  // namespace

}  // namespace dan::ops::cpu
