// These are vectors of eight floats for the loops of this folder. They mirror vector_avx512.h for CPUs that have AVX2,
// FMA and F16C.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace dan::ops::cpu {

namespace {

using Vector = __m256;
using Mask = __m256i;

constexpr int64_t kLanes = 8;
constexpr int64_t kTileRows = 6;  // the sums of a tile of two vectors take 12 of 16 registers
constexpr int64_t kMaxVectors = 2;

inline Vector load(const float* from) { return _mm256_loadu_ps(from); }
inline void store(float* to, Vector x) { _mm256_storeu_ps(to, x); }
// Selects the first `count` lanes. Lanes that are not loaded become zero.
inline Mask firstLanes(int64_t count) {
  const auto limit = static_cast<int>(count >= kLanes ? kLanes : count <= 0 ? 0 : count);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(limit), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline Vector load(const float* from, Mask mask) { return _mm256_maskload_ps(from, mask); }
inline void store(float* to, Vector x, Mask mask) { _mm256_maskstore_ps(to, mask, x); }

inline Vector zero() { return _mm256_setzero_ps(); }
inline Vector broadcast(float x) { return _mm256_set1_ps(x); }
inline Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
inline Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
inline Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
inline Vector multiplySubtract(Vector a, Vector b, Vector c) { return _mm256_fmsub_ps(a, b, c); }
// Returns the larger value, or `b` where either is not a number.
inline Vector larger(Vector a, Vector b) { return _mm256_max_ps(a, b); }
// Returns x in the lanes where y is positive, and 0 in the others.
inline Vector wherePositive(Vector y, Vector x) { return _mm256_and_ps(_mm256_cmp_ps(y, zero(), _CMP_GT_OQ), x); }
inline Vector nearestInteger(Vector x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
// Returns x times 2 to `power`. The power is a whole number from kLeastPower, which acts as minus infinity, to 0.
constexpr float kLeastPower = -127;
inline Vector timesPowerOf2(Vector x, Vector power) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(power), _mm256_set1_epi32(127));
  return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}
inline float largestOf(Vector x) {
  __m128 half = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}
inline float sumOf(Vector x) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

inline Vector loadHalf(const uint16_t* from) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
inline Vector loadBFloat16(const uint16_t* from) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

// The 8 x 8 transpose is in place.
inline void transpose(Vector r[kLanes]) {
  Vector t[kLanes];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    const auto d = [&](int j) { return _mm256_castps_pd(t[i + j]); };
    r[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(d(0), d(2)));
    r[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(d(0), d(2)));
    r[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(d(1), d(3)));
    r[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(d(1), d(3)));
  }
  for (int i = 0; i < 4; ++i) {
    const Vector low = r[i], high = r[i + 4];
    r[i] = _mm256_permute2f128_ps(low, high, 0x20);
    r[i + 4] = _mm256_permute2f128_ps(low, high, 0x31);
  }
}

}  // namespace

}  // namespace dan::ops::cpu
