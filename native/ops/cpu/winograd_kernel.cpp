#include "ops/cpu/winograd_kernel.h"

#include <immintrin.h>

#include "ops/cpu/product_kernel.h"

namespace dan::ops::cpu {

namespace {

constexpr int64_t kLanes = 16;

__m512 add(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
__m512 subtract(__m512 a, __m512 b) { return _mm512_sub_ps(a, b); }

__mmask16 firstLanes(int64_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
}

}  // namespace

void transformPatch(const float* const* pixels, int64_t depth, float* result, int64_t positionStride) {
  for (int64_t k = 0; k < depth; k += kLanes) {
    const __mmask16 mask = firstLanes(depth - k);
    __m512 d[kPatch][kPatch];
    for (int y = 0; y < kPatch; ++y) {
      __m512 row[kPatch];
      for (int x = 0; x < kPatch; ++x) row[x] = _mm512_maskz_loadu_ps(mask, pixels[y * kPatch + x] + k);
      d[y][0] = subtract(row[0], row[2]);
      d[y][1] = add(row[1], row[2]);
      d[y][2] = subtract(row[2], row[1]);
      d[y][3] = subtract(row[1], row[3]);
    }
    for (int x = 0; x < kPatch; ++x) {
      const auto store = [&](int y, __m512 value) {
        _mm512_mask_storeu_ps(result + (y * kPatch + x) * positionStride + k, mask, value);
      };
      store(0, subtract(d[0][x], d[2][x]));
      store(1, add(d[1][x], d[2][x]));
      store(2, subtract(d[2][x], d[1][x]));
      store(3, subtract(d[1][x], d[3][x]));
    }
  }
}

void transformKernels(const float* panel, int64_t depth, float* result) {
  constexpr int kTaps = 3;
  const __m512 half = _mm512_set1_ps(0.5F);
  // G g of three values: g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2.
  const auto expand = [half](__m512 g0, __m512 g1, __m512 g2, __m512* into) {
    const __m512 outer = _mm512_mul_ps(half, add(g0, g2)), inner = _mm512_mul_ps(half, g1);
    into[0] = g0;
    into[1] = add(outer, inner);
    into[2] = subtract(outer, inner);
    into[3] = g2;
  };
  const int64_t size = depth * kPanelColumns;
  for (int64_t i = 0; i < size; i += kLanes) {
    __m512 rows[kTaps][kPatch];
    for (int y = 0; y < kTaps; ++y) {
      const float* row = panel + y * kTaps * size + i;
      expand(_mm512_loadu_ps(row), _mm512_loadu_ps(row + size), _mm512_loadu_ps(row + 2 * size), rows[y]);
    }
    for (int x = 0; x < kPatch; ++x) {
      __m512 column[kPatch];
      expand(rows[0][x], rows[1][x], rows[2][x], column);
      for (int y = 0; y < kPatch; ++y) _mm512_storeu_ps(result + (y * kPatch + x) * size + i, column[y]);
    }
  }
}

void transformSums(const float* sums, int64_t positionStride, const float* bias, int64_t columns,
                   float* const* pixels) {
  for (int64_t c = 0; c < columns; c += kLanes) {
    const __mmask16 mask = firstLanes(columns - c);
    const __m512 offset = bias == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, bias + c);
    __m512 rows[2][kPatch];
    for (int x = 0; x < kPatch; ++x) {
      __m512 m[kPatch];
      for (int y = 0; y < kPatch; ++y) m[y] = _mm512_loadu_ps(sums + (y * kPatch + x) * positionStride + c);
      rows[0][x] = add(add(m[0], m[1]), m[2]);
      rows[1][x] = subtract(subtract(m[1], m[2]), m[3]);
    }
    for (int y = 0; y < 2; ++y) {
      const __m512* row = rows[y];
      if (pixels[2 * y] != nullptr) {
        _mm512_mask_storeu_ps(pixels[2 * y] + c, mask, add(offset, add(add(row[0], row[1]), row[2])));
      }
      if (pixels[2 * y + 1] != nullptr) {
        _mm512_mask_storeu_ps(pixels[2 * y + 1] + c, mask, add(offset, subtract(subtract(row[1], row[2]), row[3])));
      }
    }
  }
}

}  // namespace dan::ops::cpu
