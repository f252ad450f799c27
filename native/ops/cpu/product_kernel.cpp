#include "ops/cpu/product_kernel.h"

#include <immintrin.h>

namespace dan::ops::cpu {

namespace {

constexpr int64_t kLanes = 16;

struct FloatValue {
  using Type = float;
  static __m512 load(const float* p) { return _mm512_loadu_ps(p); }
  static float one(float x) { return x; }
};
struct HalfValue {
  using Type = uint16_t;
  static __m512 load(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static float one(uint16_t x) { return _cvtsh_ss(x); }
};
struct BFloat16Value {
  using Type = uint16_t;
  static __m512 load(const uint16_t* p) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  static float one(uint16_t x) { return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(x << 16))); }
};

// 16 x 16, in place.
void transpose(__m512 r[kLanes]) {
  __m512 t[kLanes];
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

// Columns whose values lie side by side along depth and taps: values [begin, end) of each, in that order, where value
// number i is of tap i % taps and depth i / taps.
template <class Value>
void packRows(const typename Value::Type* data, int64_t columnStride, int64_t columns, int64_t taps, int64_t depth,
              float* panel) {
  const int64_t count = taps * depth;
  for (int64_t c = 0; c < kPanelColumns; c += kLanes) {
    int64_t i = 0;
    int64_t tap = 0, k = 0;
    const auto advance = [&] {
      if (++tap == taps) {
        tap = 0;
        ++k;
      }
    };
    for (; c + kLanes <= columns && i + kLanes <= count; i += kLanes) {
      __m512 block[kLanes];
      for (int64_t j = 0; j < kLanes; ++j) block[j] = Value::load(data + (c + j) * columnStride + i);
      transpose(block);
      for (int64_t j = 0; j < kLanes; ++j) {
        _mm512_storeu_ps(panel + (tap * depth + k) * kPanelColumns + c, block[j]);
        advance();
      }
    }
    for (; i < count; ++i) {
      float* to = panel + (tap * depth + k) * kPanelColumns + c;
      for (int64_t j = 0; j < kLanes; ++j) {
        to[j] = c + j < columns ? Value::one(data[(c + j) * columnStride + i]) : 0.0F;
      }
      advance();
    }
  }
}

template <class Value>
void pack(const PanelSource& source, int64_t columns, int64_t taps, int64_t depth, float* panel) {
  const auto* data = static_cast<const typename Value::Type*>(source.data);
  if (source.depthStride == taps && (taps == 1 || source.tapStride == 1)) {
    return packRows<Value>(data, source.columnStride, columns, taps, depth, panel);
  }
  for (int64_t tap = 0; tap < taps; ++tap) {
    const auto* ofTap = data + tap * source.tapStride;
    if (source.depthStride == 1) {
      packRows<Value>(ofTap, source.columnStride, columns, 1, depth, panel + tap * depth * kPanelColumns);
      continue;
    }
    for (int64_t k = 0; k < depth; ++k) {
      float* to = panel + (tap * depth + k) * kPanelColumns;
      const auto* from = ofTap + k * source.depthStride;
      if (source.columnStride == 1 && columns == kPanelColumns) {
        _mm512_storeu_ps(to, Value::load(from));
        _mm512_storeu_ps(to + kLanes, Value::load(from + kLanes));
        continue;
      }
      for (int64_t c = 0; c < kPanelColumns; ++c)
        to[c] = c < columns ? Value::one(from[c * source.columnStride]) : 0.0F;
    }
  }
}

}  // namespace

void packPanel(const PanelSource& source, int64_t columns, int64_t taps, int64_t depth, float* panel) {
  switch (source.storage) {
    case Storage::kFloat:
      return pack<FloatValue>(source, columns, taps, depth, panel);
    case Storage::kHalf:
      return pack<HalfValue>(source, columns, taps, depth, panel);
    case Storage::kBFloat16:
      return pack<BFloat16Value>(source, columns, taps, depth, panel);
  }
}

void multiplyTile(const float* const* starts, int64_t startStride, int64_t taps, int64_t depth, const float* panel,
                  const float* bias, bool accumulate, float* result, int64_t resultStride, int64_t rows,
                  int64_t columns) {
  const auto maskFrom = [columns](int64_t first) {
    const int64_t left = columns - first;
    return static_cast<__mmask16>(left >= kLanes ? 0xffff : left <= 0 ? 0 : (1 << left) - 1);
  };
  const __mmask16 mask0 = maskFrom(0), mask1 = maskFrom(kLanes);
  __m512 low[kTileRows], high[kTileRows];
  for (int64_t r = 0; r < kTileRows; ++r) {
    low[r] = high[r] = _mm512_setzero_ps();
    if (bias != nullptr) {
      low[r] = _mm512_maskz_loadu_ps(mask0, bias);
      high[r] = _mm512_maskz_loadu_ps(mask1, bias + kLanes);
    } else if (accumulate && r < rows) {
      low[r] = _mm512_maskz_loadu_ps(mask0, result + r * resultStride);
      high[r] = _mm512_maskz_loadu_ps(mask1, result + r * resultStride + kLanes);
    }
  }
  for (int64_t tap = 0; tap < taps; ++tap, starts += startStride) {
    const float *a0 = starts[0], *a1 = starts[1], *a2 = starts[2], *a3 = starts[3];
    const float *a4 = starts[4], *a5 = starts[5], *a6 = starts[6], *a7 = starts[7];
#pragma GCC unroll 4
    for (int64_t k = 0; k < depth; ++k, panel += kPanelColumns) {
      const __m512 b0 = _mm512_loadu_ps(panel), b1 = _mm512_loadu_ps(panel + kLanes);
      const auto row = [&](int r, const float* a) {
        const __m512 value = _mm512_set1_ps(a[k]);
        low[r] = _mm512_fmadd_ps(value, b0, low[r]);
        high[r] = _mm512_fmadd_ps(value, b1, high[r]);
      };
      row(0, a0);
      row(1, a1);
      row(2, a2);
      row(3, a3);
      row(4, a4);
      row(5, a5);
      row(6, a6);
      row(7, a7);
    }
  }
  for (int64_t r = 0; r < kTileRows; ++r) {
    if (r >= rows) break;
    _mm512_mask_storeu_ps(result + r * resultStride, mask0, low[r]);
    _mm512_mask_storeu_ps(result + r * resultStride + kLanes, mask1, high[r]);
  }
}

}  // namespace dan::ops::cpu
