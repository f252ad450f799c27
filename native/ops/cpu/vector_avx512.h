// These are vectors of sixteen floats for the loops of this folder. Everything is in an unnamed namespace: if files for
// older CPUs shared an inline function, the linker could keep this file's AVX-512 version for all of them.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace dan::ops::cpu {

namespace {

using Vector = __m512;
using Mask = __mmask16;

constexpr int64_t kLanes = 16;
constexpr int64_t kTileRows = 8;  // the sums of a tile of two vectors take 16 of 32 registers
constexpr int64_t kMaxVectors = 3;

inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
inline void store(float* to, Vector x) { _mm512_storeu_ps(to, x); }
// Selects the first `count` lanes. Lanes that are not loaded become zero.
inline Mask firstLanes(int64_t count) {
  return static_cast<Mask>(count >= kLanes ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
}
inline Vector load(const float* from, Mask mask) { return _mm512_maskz_loadu_ps(mask, from); }
inline void store(float* to, Vector x, Mask mask) { _mm512_mask_storeu_ps(to, mask, x); }

inline Vector zero() { return _mm512_setzero_ps(); }
inline Vector broadcast(float x) { return _mm512_set1_ps(x); }
inline Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
inline Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
inline Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
inline Vector multiplySubtract(Vector a, Vector b, Vector c) { return _mm512_fmsub_ps(a, b, c); }
// Returns the larger value, or `b` where either is not a number.
inline Vector larger(Vector a, Vector b) { return _mm512_max_ps(a, b); }
// Returns x in the lanes where y is positive, and 0 in the others.
inline Vector wherePositive(Vector y, Vector x) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, zero(), _CMP_GT_OQ), x);
}
inline Vector nearestInteger(Vector x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// Returns x times 2 to `power`. The power is a whole number from kLeastPower, which acts as minus infinity, to 0.
constexpr float kLeastPower = -160;
inline Vector timesPowerOf2(Vector x, Vector power) { return _mm512_scalef_ps(x, power); }
inline float largestOf(Vector x) { return _mm512_reduce_max_ps(x); }
inline float sumOf(Vector x) { return _mm512_reduce_add_ps(x); }

inline Vector loadHalf(const uint16_t* from) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline Vector loadBFloat16(const uint16_t* from) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

// The 16 x 16 transpose is in place.
inline void transpose(Vector r[kLanes]) {
  Vector t[kLanes];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    const auto d = [&](int j) { return _mm512_castps_pd(t[i + j]); };
    r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(d(0), d(2)));
    r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(d(0), d(2)));
    r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(d(1), d(3)));
    r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(d(1), d(3)));
  }
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

}  // namespace

}  // namespace dan::ops::cpu
