// These are bfloat16 pairs in vectors of sixteen words, for the loops of this folder.
#pragma once

#include <cstdint>

#include "ops/cpu/vector_avx512.h"

namespace dan::ops::cpu {

namespace {

// Adds the two products of bfloat16 values in each word of `a` and `b` to the floats of `sum`.
inline Vector multiplyAddPairs(Vector a, Vector b, Vector sum) {
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}
// Returns words whose lower halves come from `lower`, and whose upper halves come from `upper`.
inline Vector loadPairs(const uint16_t* lower, Mask lowerMask, const uint16_t* upper, Mask upperMask) {
  const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lowerMask, lower));
  const __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(upperMask, upper));
  return _mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}
inline void storeBFloat16(uint16_t* to, Vector x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
}
inline void storeBFloat16(uint16_t* to, Vector x, Mask mask) {
  _mm256_mask_storeu_epi16(to, mask, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
}

}  // namespace

}  // namespace dan::ops::cpu
