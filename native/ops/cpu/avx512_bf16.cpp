#include <cstring>

#include "ops/cpu/vector_avx512.h"
// The loops use the vectors, so they are included after them.
#include "ops/cpu/attention_loops.h"

namespace dan::ops::cpu {

namespace {

struct BFloat16Arithmetic {
  using Value = uint16_t;
  static constexpr int64_t kValues = 2;  // per word
  static __m512 multiplyAdd(__m512 a, __m512 b, __m512 sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  static float word(const uint16_t* values, int64_t count) {
    const uint32_t bits = values[0] | (count > 1 ? static_cast<uint32_t>(values[1]) << 16 : 0);
    float result = 0;
    std::memcpy(&result, &bits, sizeof(result));
    return result;
  }
  static void packValues(const HeadRows& rows, int64_t key, int64_t width, int64_t paddedWidth, float* into) {
    const auto* first = static_cast<const uint16_t*>(rows.data) + key * rows.stride;
    for (int64_t d = 0; d < paddedWidth; d += kLanes) {
      const int64_t left = width - d;
      const auto mask = static_cast<__mmask16>(left >= kLanes ? 0xffff : (1 << left) - 1);
      const auto load = [&](int64_t row) {
        const bool isThere = key + row < rows.count;
        const __m256i bits =
            _mm256_maskz_loadu_epi16(isThere ? mask : 0, isThere ? first + row * rows.stride + d : first);
        return _mm512_cvtepu16_epi32(bits);
      };
      _mm512_storeu_si512(into + d, _mm512_or_si512(load(0), _mm512_slli_epi32(load(1), 16)));
    }
  }
  static void storeWeights(float* weights, int64_t k, __m512 weight) {
    const __m256bh narrow = _mm512_cvtneps_pbh(weight);
    std::memcpy(reinterpret_cast<uint16_t*>(weights) + k, &narrow, sizeof(narrow));
  }
  static void store(const float* sums, float factor, int64_t width, uint16_t* result) {
    for (int64_t d = 0; d < width; d += kLanes) {
      const __m512 scaled = _mm512_mul_ps(_mm512_loadu_ps(sums + d), _mm512_set1_ps(factor));
      const __m256bh narrow = _mm512_cvtneps_pbh(scaled);
      std::memcpy(result + d, &narrow, static_cast<size_t>(std::min(kLanes, width - d)) * sizeof(uint16_t));
    }
  }
};

}  // namespace

void attendBFloat16(const AttentionTask& task, float* scratch) { Attention<BFloat16Arithmetic>(task, scratch).run(); }

}  // namespace dan::ops::cpu
