// attention_kernel.h's loops, for the arithmetic `A` of the file that includes this. Operands are 32-bit words: a
// float, or two bfloat16 that are multiplied and added at once.
// Everything is in a namespace without a name: of a function that files for older CPUs share, the linker could keep
// this file's AVX-512 form.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <limits>

#include "ops/cpu/attention_kernel.h"
#include "ops/cpu/product_kernel.h"

namespace dan::ops::cpu {

namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kBlockKeys = 512;  // their keys and values stay in the second cache while queries pass
constexpr int64_t kBlockQueries = 64;
constexpr int64_t kMaxVectors = 3;  // accumulators of a tile: kTileRows x kMaxVectors

int64_t roundUp(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

// result[r] = factors[r] * result[r] + sum over w of left[r][w] . right[w], `Vectors` vectors wide.
template <class A, int Vectors>
void addProducts(const float* const left[kTileRows], int64_t words, const float* right, int64_t rightStride,
                 const float* factors, float* result, int64_t resultStride) {
  __m512 sums[kTileRows][Vectors];
  for (int r = 0; r < kTileRows; ++r) {
    const __m512 factor = _mm512_set1_ps(factors[r]);
    for (int v = 0; v < Vectors; ++v) {
      sums[r][v] = _mm512_mul_ps(factor, _mm512_loadu_ps(result + r * resultStride + v * kLanes));
    }
  }
  for (int64_t w = 0; w < words; ++w, right += rightStride) {
    __m512 b[Vectors];
    for (int v = 0; v < Vectors; ++v) b[v] = _mm512_loadu_ps(right + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows; ++r) {
      const __m512 a = _mm512_set1_ps(left[r][w]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sums[r][v] = A::multiplyAdd(a, b[v], sums[r][v]);
    }
  }
  for (int r = 0; r < kTileRows; ++r) {
    for (int v = 0; v < Vectors; ++v) _mm512_storeu_ps(result + r * resultStride + v * kLanes, sums[r][v]);
  }
}

// 2 to the power of x <= 0: the exponential series around the nearest integer.
inline __m512 exp2(__m512 x) {
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 part = _mm512_sub_ps(x, whole);
  constexpr float kSeries[] = {1.5403530e-4F, 1.3333558e-3F, 9.6181291e-3F, 5.5504109e-2F,
                               2.4022651e-1F, 6.9314718e-1F, 1.0F};
  __m512 sum = _mm512_set1_ps(kSeries[0]);
#pragma GCC unroll 6
  for (int i = 1; i < 7; ++i) sum = _mm512_fmadd_ps(sum, part, _mm512_set1_ps(kSeries[i]));
  return _mm512_scalef_ps(sum, whole);
}

template <class A>
class Attention {
 public:
  Attention(const AttentionTask& task, float* scratch)
      : task_(task),
        words_((task.width + A::kValues - 1) / A::kValues),
        paddedKeys_(roundUp(task.keys.count, kPanelColumns)),
        paddedWidth_(roundUp(task.width, kLanes)),
        keys_(scratch),
        values_(keys_ + paddedKeys_ * words_),
        sums_(values_ + paddedKeys_ / A::kValues * paddedWidth_),
        scores_(sums_ + kBlockQueries * paddedWidth_),
        weights_(scores_ + kTileRows * kBlockKeys),
        queries_(weights_ + kTileRows * kBlockKeys) {}

  void run() {
    packKeys();
    packValues();
    for (int64_t first = 0; first < task_.queries.count; first += kBlockQueries) {
      attend(first, std::min(kBlockQueries, task_.queries.count - first));
    }
  }

 private:
  using Value = typename A::Value;

  // Panels of kPanelColumns keys, [word][key]; a last odd bfloat16 has a zero beside it.
  void packKeys() {
    for (int64_t key = 0; key < task_.keys.count; key += kPanelColumns) {
      const int64_t count = std::min(kPanelColumns, task_.keys.count - key);
      float* panel = keys_ + key * words_;
      if (task_.width % A::kValues == 0 && task_.keys.stride % A::kValues == 0) {
        const auto* data = static_cast<const Value*>(task_.keys.data) + key * task_.keys.stride;
        packPanel({data, Storage::kFloat, task_.keys.stride / A::kValues, 0, 1}, count, 1, words_, panel);
        continue;
      }
      for (int64_t w = 0; w < words_; ++w) {
        for (int64_t k = 0; k < kPanelColumns; ++k) {
          panel[w * kPanelColumns + k] = k < count ? word(task_.keys, key + k, w) : 0.0F;
        }
      }
    }
  }

  float word(const HeadRows& rows, int64_t row, int64_t w) const {
    return A::word(static_cast<const Value*>(rows.data) + row * rows.stride + w * A::kValues,
                   std::min<int64_t>(A::kValues, task_.width - w * A::kValues));
  }

  // [key word][dimension], zeros behind the last of both.
  void packValues() {
    for (int64_t w = 0; w < paddedKeys_ / A::kValues; ++w) {
      A::packValues(task_.values, w * A::kValues, task_.width, paddedWidth_, values_ + w * paddedWidth_);
    }
  }

  void attend(int64_t first, int64_t count) {
    const int64_t rows = roundUp(count, kTileRows);
    std::fill_n(sums_, rows * paddedWidth_, 0.0F);
    std::fill_n(maxima_, rows, -std::numeric_limits<float>::infinity());
    std::fill_n(totals_, rows, 0.0F);
    for (int64_t r = 0; r < rows; ++r) {  // the last tile computes whole, on the last query again
      const int64_t row = first + std::min(r, count - 1);
      for (int64_t w = 0; w < words_; ++w) queries_[r * words_ + w] = word(task_.queries, row, w);
    }
    for (int64_t key = 0; key < task_.keys.count; key += kBlockKeys) {
      for (int64_t r = 0; r < rows; r += kTileRows) attendTile(r, key);
    }
    for (int64_t r = 0; r < count; ++r) {
      A::store(sums_ + r * paddedWidth_, 1 / totals_[r], task_.width,
               static_cast<Value*>(task_.result) + (first + r) * task_.resultStride);
    }
  }

  // kTileRows queries, from row `first` of the block, over the keys of one block.
  void attendTile(int64_t first, int64_t key) {
    const int64_t count = std::min(kBlockKeys, task_.keys.count - key);
    const int64_t padded = roundUp(count, kPanelColumns);
    const float* left[kTileRows];
    for (int64_t r = 0; r < kTileRows; ++r) left[r] = queries_ + (first + r) * words_;
    const float zeros[kTileRows] = {};
    for (int64_t k = 0; k < padded; k += kPanelColumns) {
      for (int64_t r = 0; r < kTileRows; ++r) {
        _mm512_storeu_ps(scores_ + r * kBlockKeys + k, _mm512_setzero_ps());
        _mm512_storeu_ps(scores_ + r * kBlockKeys + k + kLanes, _mm512_setzero_ps());
      }
      addProducts<A, 2>(left, words_, keys_ + (key + k) * words_, kPanelColumns, zeros, scores_ + k, kBlockKeys);
    }
    float factors[kTileRows];
    for (int64_t r = 0; r < kTileRows; ++r) factors[r] = weigh(first + r, r, count, padded);
    const float* weights[kTileRows];
    for (int64_t r = 0; r < kTileRows; ++r) weights[r] = weights_ + r * kBlockKeys / A::kValues;
    const int64_t words = padded / A::kValues;
    const float* values = values_ + key / A::kValues * paddedWidth_;
    float* sums = sums_ + first * paddedWidth_;
    for (int64_t d = 0; d < paddedWidth_;) {
      const int64_t vectors = std::min(kMaxVectors, (paddedWidth_ - d) / kLanes);
      const auto add = vectors == 3 ? addProducts<A, 3> : vectors == 2 ? addProducts<A, 2> : addProducts<A, 1>;
      add(weights, words, values + d, paddedWidth_, factors, sums + d, paddedWidth_);
      d += vectors * kLanes;
    }
  }

  // Turns row r of the scores into weights against the maximum so far of query `row`; returns what the sums so far have
  // to be multiplied with.
  float weigh(int64_t row, int64_t r, int64_t count, int64_t padded) {
    float* scores = scores_ + r * kBlockKeys;
    std::fill(scores + count, scores + padded, -std::numeric_limits<float>::infinity());
    __m512 largest = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
    for (int64_t k = 0; k < padded; k += kLanes) largest = _mm512_max_ps(largest, _mm512_loadu_ps(scores + k));
    const float scale = task_.scale * 1.44269504F;  // log2(e): weights are powers of 2
    const float maximum = std::max(maxima_[row], _mm512_reduce_max_ps(largest) * scale);
    const __m512 factor = _mm512_set1_ps(scale), offset = _mm512_set1_ps(maximum);
    __m512 total = _mm512_setzero_ps();
    for (int64_t k = 0; k < padded; k += kLanes) {
      const __m512 weight = exp2(_mm512_fmsub_ps(_mm512_loadu_ps(scores + k), factor, offset));
      total = _mm512_add_ps(total, weight);
      A::storeWeights(weights_ + r * kBlockKeys / A::kValues, k, weight);
    }
    const float change = _mm512_cvtss_f32(exp2(_mm512_set1_ps(maxima_[row] - maximum)));
    totals_[row] = totals_[row] * change + _mm512_reduce_add_ps(total);
    maxima_[row] = maximum;
    return change;
  }

  const AttentionTask& task_;
  const int64_t words_, paddedKeys_, paddedWidth_;
  float *keys_, *values_, *sums_, *scores_, *weights_, *queries_;
  float maxima_[kBlockQueries], totals_[kBlockQueries];
};

}  // namespace

}  // namespace dan::ops::cpu
