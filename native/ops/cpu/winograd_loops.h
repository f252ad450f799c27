// These are the transforms of winograd.h.
#pragma once

#include "ops/cpu/kernels.h"
#include "ops/cpu/product_loops.h"

namespace dan::ops::cpu {

namespace {

inline void transformPatch(const float* const* pixels, int64_t depth, float* result, int64_t positionStride) {
  for (int64_t k = 0; k < depth; k += kLanes) {
    const Mask mask = firstLanes(depth - k);
    Vector d[kPatch][kPatch];
    for (int y = 0; y < kPatch; ++y) {
      Vector row[kPatch];
      for (int x = 0; x < kPatch; ++x) row[x] = load(pixels[y * kPatch + x] + k, mask);
      d[y][0] = subtract(row[0], row[2]);
      d[y][1] = add(row[1], row[2]);
      d[y][2] = subtract(row[2], row[1]);
      d[y][3] = subtract(row[1], row[3]);
    }
    for (int x = 0; x < kPatch; ++x) {
      const auto store = [&](int y, Vector value) {
        float* to = result + (y * kPatch + x) * positionStride + k;
        depth - k >= kLanes ? cpu::store(to, value) : cpu::store(to, value, mask);
      };
      store(0, subtract(d[0][x], d[2][x]));
      store(1, add(d[1][x], d[2][x]));
      store(2, subtract(d[2][x], d[1][x]));
      store(3, subtract(d[1][x], d[3][x]));
    }
  }
}

inline void transformKernels(const float* panel, int64_t depth, float* result, int64_t positionStride) {
  constexpr int kTaps = 3;
  const Vector half = broadcast(0.5F);
  // This is G g for three values: g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2.
  const auto expand = [half](Vector g0, Vector g1, Vector g2, Vector* into) {
    const Vector outer = multiply(half, add(g0, g2)), inner = multiply(half, g1);
    into[0] = g0;
    into[1] = add(outer, inner);
    into[2] = subtract(outer, inner);
    into[3] = g2;
  };
  const int64_t size = depth * kPanelColumns;
  for (int64_t i = 0; i < size; i += kLanes) {
    Vector rows[kTaps][kPatch];
    for (int y = 0; y < kTaps; ++y) {
      const float* row = panel + y * kTaps * size + i;
      expand(load(row), load(row + size), load(row + 2 * size), rows[y]);
    }
    for (int x = 0; x < kPatch; ++x) {
      Vector column[kPatch];
      expand(rows[0][x], rows[1][x], rows[2][x], column);
      for (int y = 0; y < kPatch; ++y) store(result + (y * kPatch + x) * positionStride + i, column[y]);
    }
  }
}

inline void transformSums(const float* sums, int64_t positionStride, const float* bias, bool accumulate,
                          int64_t columns, float* const* pixels) {
  for (int64_t c = 0; c < columns; c += kLanes) {
    const Mask mask = firstLanes(columns - c);
    const Vector offset = bias == nullptr ? zero() : load(bias + c, mask);
    Vector rows[2][kPatch];
    for (int x = 0; x < kPatch; ++x) {
      Vector m[kPatch];
      for (int y = 0; y < kPatch; ++y) m[y] = load(sums + (y * kPatch + x) * positionStride + c);
      rows[0][x] = add(add(m[0], m[1]), m[2]);
      rows[1][x] = subtract(subtract(m[1], m[2]), m[3]);
    }
    for (int y = 0; y < 2; ++y) {
      const Vector* row = rows[y];
      const Vector values[] = {add(add(row[0], row[1]), row[2]), subtract(subtract(row[1], row[2]), row[3])};
      for (int x = 0; x < 2; ++x) {
        float* to = pixels[2 * y + x];
        if (to == nullptr) continue;
        const Vector before = accumulate ? load(to + c, mask) : zero();
        const Vector value = add(before, add(offset, values[x]));
        columns - c >= kLanes ? store(to + c, value) : store(to + c, value, mask);
      }
    }
  }
}

}  // namespace

}  // namespace dan::ops::cpu
