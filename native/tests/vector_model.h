// These are the vectors of vector_avx512.h and vector_avx512_bf16.h in plain C++, so that the loops of ops/cpu run with
// sixteen lanes and with bfloat16 pairs on CPUs without AVX-512.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace dan::ops::cpu {

namespace {

using Mask = uint16_t;
constexpr int64_t kLanes = 16, kTileRows = 8, kMaxVectors = 3;

struct Vector {
  float lanes[kLanes];
};

template <class Function>
Vector each(const Function& function) {
  Vector result;
  for (int i = 0; i < kLanes; ++i) result.lanes[i] = function(i);
  return result;
}
inline bool isSet(Mask mask, int lane) { return ((mask >> lane) & 1) != 0; }

inline Mask firstLanes(int64_t count) { return static_cast<Mask>((1U << std::clamp<int64_t>(count, 0, kLanes)) - 1); }
inline Vector load(const float* from, Mask mask) {
  return each([&](int i) { return isSet(mask, i) ? from[i] : 0.0F; });
}
inline Vector load(const float* from) { return load(from, 0xFFFF); }
inline void store(float* to, Vector x, Mask mask) {
  for (int i = 0; i < kLanes; ++i) {
    if (isSet(mask, i)) to[i] = x.lanes[i];
  }
}
inline void store(float* to, Vector x) { store(to, x, 0xFFFF); }
inline Vector broadcast(float x) {
  return each([&](int) { return x; });
}
inline Vector zero() { return broadcast(0); }
inline Vector add(Vector a, Vector b) {
  return each([&](int i) { return a.lanes[i] + b.lanes[i]; });
}
inline Vector subtract(Vector a, Vector b) {
  return each([&](int i) { return a.lanes[i] - b.lanes[i]; });
}
inline Vector multiply(Vector a, Vector b) {
  return each([&](int i) { return a.lanes[i] * b.lanes[i]; });
}
inline Vector multiplyAdd(Vector a, Vector b, Vector c) {
  return each([&](int i) { return __builtin_fmaf(a.lanes[i], b.lanes[i], c.lanes[i]); });
}
inline Vector multiplySubtract(Vector a, Vector b, Vector c) {
  return each([&](int i) { return __builtin_fmaf(a.lanes[i], b.lanes[i], -c.lanes[i]); });
}
inline Vector larger(Vector a, Vector b) {
  return each([&](int i) { return a.lanes[i] > b.lanes[i] ? a.lanes[i] : b.lanes[i]; });
}
inline Vector wherePositive(Vector y, Vector x) {
  return each([&](int i) { return y.lanes[i] > 0 ? x.lanes[i] : 0.0F; });
}
inline Vector nearestInteger(Vector x) {
  return each([&](int i) { return __builtin_nearbyintf(x.lanes[i]); });
}
constexpr float kLeastPower = -160;
inline Vector timesPowerOf2(Vector x, Vector power) {
  return each([&](int i) { return __builtin_ldexpf(x.lanes[i], static_cast<int>(power.lanes[i])); });
}
inline float largestOf(Vector x) {
  float result = x.lanes[0];
  for (const float lane : x.lanes) result = lane > result ? lane : result;
  return result;
}
inline float sumOf(Vector x) {
  float result = 0;
  for (const float lane : x.lanes) result += lane;
  return result;
}

inline float widen(uint16_t bfloat16) {
  const uint32_t bits = static_cast<uint32_t>(bfloat16) << 16;
  float result = 0;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}
inline uint32_t bitsOf(float x) {
  uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
}
inline Vector loadHalf(const uint16_t* from) {
  return each([&](int i) { return _cvtsh_ss(from[i]); });
}
inline Vector loadBFloat16(const uint16_t* from) {
  return each([&](int i) { return widen(from[i]); });
}
inline void transpose(Vector r[kLanes]) {
  for (int i = 0; i < kLanes; ++i) {
    for (int j = 0; j < i; ++j) std::swap(r[i].lanes[j], r[j].lanes[i]);
  }
}

// VDPBF16PS adds the odd product first (Intel's manual, volume 2).
inline Vector multiplyAddPairs(Vector a, Vector b, Vector sum) {
  return each([&](int i) {
    const uint32_t left = bitsOf(a.lanes[i]), right = bitsOf(b.lanes[i]);
    const auto half = [](uint32_t word, int shift) { return widen(static_cast<uint16_t>(word >> shift)); };
    const float odd = __builtin_fmaf(half(left, 16), half(right, 16), sum.lanes[i]);
    return __builtin_fmaf(half(left, 0), half(right, 0), odd);
  });
}
inline Vector loadPairs(const uint16_t* lower, Mask lowerMask, const uint16_t* upper, Mask upperMask) {
  return each([&](int i) {
    const uint32_t low = isSet(lowerMask, i) ? lower[i] : 0, high = isSet(upperMask, i) ? upper[i] : 0;
    const uint32_t bits = low | high << 16;
    float word = 0;
    std::memcpy(&word, &bits, sizeof(word));
    return word;
  });
}
// Rounds to the nearest value, and to the even one of two.
inline void storeBFloat16(uint16_t* to, Vector x, Mask mask = 0xFFFF) {
  for (int i = 0; i < kLanes; ++i) {
    if (!isSet(mask, i)) continue;
    const uint32_t bits = bitsOf(x.lanes[i]);
    const bool isNumber = !(x.lanes[i] != x.lanes[i]);
    to[i] = static_cast<uint16_t>((isNumber ? bits + 0x7FFF + ((bits >> 16) & 1) : bits | 0x400000) >> 16);
  }
}

}  // namespace

}  // namespace dan::ops::cpu
