#include "ops/cpu/attention_kernel.h"

#include "ops/cpu/attention_loops.h"

namespace dan::ops::cpu {

namespace {

struct FloatArithmetic {
  using Value = float;
  static constexpr int64_t kValues = 1;  // in a word
  static __m512 multiplyAdd(__m512 a, __m512 b, __m512 sum) { return _mm512_fmadd_ps(a, b, sum); }
  static float word(const float* values, int64_t) { return *values; }
  static void packValues(const HeadRows& rows, int64_t key, int64_t width, int64_t paddedWidth, float* into) {
    std::fill_n(into, paddedWidth, 0.0F);
    if (key < rows.count) std::copy_n(static_cast<const float*>(rows.data) + key * rows.stride, width, into);
  }
  static void storeWeights(float* weights, int64_t k, __m512 weight) { _mm512_storeu_ps(weights + k, weight); }
  static void store(const float* sums, float factor, int64_t width, float* result) {
    for (int64_t d = 0; d < width; ++d) result[d] = sums[d] * factor;
  }
};

}  // namespace

int64_t attentionScratch(int64_t keys, int64_t width) {
  const int64_t padded = roundUp(width, kLanes);
  return roundUp(keys, kPanelColumns) * (width + padded) + kBlockQueries * (padded + width) +
         2 * kTileRows * kBlockKeys;
}

void attendFloat(const AttentionTask& task, float* scratch) { Attention<FloatArithmetic>(task, scratch).run(); }

}  // namespace dan::ops::cpu
