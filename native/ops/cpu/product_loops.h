// These loops widen weights into panels and compute one tile of a product.
#pragma once

#include "ops/cpu/kernels.h"

namespace dan::ops::cpu {

namespace {

constexpr int64_t kPanelColumns = 2 * kLanes;

struct FloatValue {
  using Type = float;
  static Vector load(const float* p) { return cpu::load(p); }
  static float one(float x) { return x; }
};
struct HalfValue {
  using Type = uint16_t;
  static Vector load(const uint16_t* p) { return loadHalf(p); }
  static float one(uint16_t x) { return _cvtsh_ss(x); }
};
struct BFloat16Value {
  using Type = uint16_t;
  static Vector load(const uint16_t* p) { return loadBFloat16(p); }
  static float one(uint16_t x) { return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(x << 16))); }
};

// This packs columns whose values lie side by side along depth and taps. It reads values [0, taps * depth) of each.
// Value number i belongs to tap i % taps and depth i / taps.
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
      Vector block[kLanes];
      for (int64_t j = 0; j < kLanes; ++j) block[j] = Value::load(data + (c + j) * columnStride + i);
      transpose(block);
      for (int64_t j = 0; j < kLanes; ++j) {
        store(panel + (tap * depth + k) * kPanelColumns + c, block[j]);
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
        store(to, Value::load(from));
        store(to + kLanes, Value::load(from + kLanes));
        continue;
      }
      for (int64_t c = 0; c < kPanelColumns; ++c)
        to[c] = c < columns ? Value::one(from[c * source.columnStride]) : 0.0F;
    }
  }
}

inline void packPanel(const PanelSource& source, int64_t columns, int64_t taps, int64_t depth, float* panel) {
  switch (source.storage) {
    case Storage::kFloat:
      return pack<FloatValue>(source, columns, taps, depth, panel);
    case Storage::kHalf:
      return pack<HalfValue>(source, columns, taps, depth, panel);
    case Storage::kBFloat16:
      return pack<BFloat16Value>(source, columns, taps, depth, panel);
  }
}

// Computes the columns of the panel's first `kVectors` vectors.
template <int kVectors>
inline void multiplyVectors(const float* const* starts, int64_t startStride, int64_t taps, int64_t depth,
                            const float* panel, const float* bias, bool accumulate, float* result, int64_t resultStride,
                            int64_t rows, int64_t columns) {
  const bool isWhole = columns == kVectors * kLanes;  // masked stores are slow on some CPUs
  Mask masks[kVectors];
  for (int v = 0; v < kVectors; ++v) masks[v] = firstLanes(columns - v * kLanes);
  Vector sums[kTileRows][kVectors];
  for (int64_t r = 0; r < kTileRows; ++r) {
    for (int v = 0; v < kVectors; ++v) sums[r][v] = bias == nullptr ? zero() : load(bias + v * kLanes, masks[v]);
    // The prefetch hides the latency of reading and writing the result at the end.
    if (r < rows) _mm_prefetch(reinterpret_cast<const char*>(result + r * resultStride), _MM_HINT_T0);
  }
  for (int64_t tap = 0; tap < taps; ++tap, starts += startStride) {
    const float *a0 = starts[0], *a1 = starts[1], *a2 = starts[2], *a3 = starts[3];
    const float *a4 = starts[4], *a5 = starts[5], *a6 = starts[kTileRows - 2], *a7 = starts[kTileRows - 1];
#pragma GCC unroll 4
    for (int64_t k = 0; k < depth; ++k, panel += kPanelColumns) {
      Vector b[kVectors];
      for (int v = 0; v < kVectors; ++v) b[v] = load(panel + v * kLanes);
      const auto row = [&](int r, const float* a) {
        const Vector value = broadcast(a[k]);
        for (int v = 0; v < kVectors; ++v) sums[r][v] = multiplyAdd(value, b[v], sums[r][v]);
      };
      row(0, a0);
      row(1, a1);
      row(2, a2);
      row(3, a3);
      row(4, a4);
      row(5, a5);
      if constexpr (kTileRows == 8) {
        row(6, a6);
        row(7, a7);
      }
    }
  }
  for (int64_t r = 0; r < kTileRows; ++r) {
    if (r >= rows) break;
    float* to = result + r * resultStride;
    for (int v = 0; v < kVectors; ++v) {
      if (accumulate) sums[r][v] = add(sums[r][v], load(to + v * kLanes, masks[v]));
      isWhole ? store(to + v * kLanes, sums[r][v]) : store(to + v * kLanes, sums[r][v], masks[v]);
    }
  }
}

inline void multiplyTile(const float* const* starts, int64_t startStride, int64_t taps, int64_t depth,
                         const float* panel, const float* bias, bool accumulate, float* result, int64_t resultStride,
                         int64_t rows, int64_t columns) {
  // The last panel of a narrow layer is often half empty.
  const auto multiply = columns > kLanes ? multiplyVectors<2> : multiplyVectors<1>;
  multiply(starts, startStride, taps, depth, panel, bias, accumulate, result, resultStride, rows, columns);
}

}  // namespace

}  // namespace dan::ops::cpu
