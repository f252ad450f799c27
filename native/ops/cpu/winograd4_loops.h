// These are the transforms and the products of winograd4.h.
#pragma once

#include <type_traits>

#include "ops/cpu/kernels.h"

namespace dan::ops::cpu {

namespace {

// B^T d for six values.
inline void transformSix(const Vector* d, Vector into[kWinograd4Patch]) {
  const Vector d0 = d[0], d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4], d5 = d[5];
  const Vector minusFour = broadcast(-4), minusFive = broadcast(-5), four = broadcast(4), two = broadcast(2);
  const Vector even = multiplyAdd(minusFour, d2, d4), odd = multiplyAdd(minusFour, d1, d3);
  const Vector evenHalf = subtract(d4, d2), oddHalf = multiply(two, subtract(d3, d1));
  into[0] = multiplyAdd(four, d0, multiplyAdd(minusFive, d2, d4));
  into[1] = add(even, odd);
  into[2] = subtract(even, odd);
  into[3] = add(evenHalf, oddHalf);
  into[4] = subtract(evenHalf, oddHalf);
  into[5] = multiplyAdd(four, d1, multiplyAdd(minusFive, d3, d5));
}

// A^T m for six values.
inline void sumSix(const Vector* m, Vector into[kWinograd4Tile]) {
  const Vector m1 = m[1], m2 = m[2], m3 = m[3], m4 = m[4];
  const Vector sum = add(m1, m2), difference = subtract(m1, m2), sumOfTwo = add(m3, m4), apart = subtract(m3, m4);
  into[0] = add(add(m[0], sum), sumOfTwo);
  into[1] = multiplyAdd(broadcast(2), apart, difference);
  into[2] = multiplyAdd(broadcast(4), sumOfTwo, sum);
  into[3] = add(multiplyAdd(broadcast(8), apart, difference), m[5]);
}

// A y for four values.
inline void spreadFour(const Vector* y, Vector into[kWinograd4Patch]) {
  const Vector y0 = y[0], y1 = y[1], y2 = y[2], y3 = y[3];
  const Vector even = add(y0, y2), odd = add(y1, y3);
  const Vector evenOfTwo = multiplyAdd(broadcast(4), y2, y0);
  const Vector oddOfTwo = multiplyAdd(broadcast(8), y3, multiply(broadcast(2), y1));
  into[0] = y0;
  into[1] = add(even, odd);
  into[2] = subtract(even, odd);
  into[3] = add(evenOfTwo, oddOfTwo);
  into[4] = subtract(evenOfTwo, oddOfTwo);
  into[5] = y3;
}

// G g for three values.
inline void spreadThree(const Vector* g, Vector into[kWinograd4Patch]) {
  const Vector g0 = g[0], g1 = g[1], g2 = g[2];
  const Vector outer = multiply(broadcast(-1.0F / 6), add(g0, g2)), inner = multiply(broadcast(1.0F / 6), g1);
  const Vector outerOfTwo = multiplyAdd(broadcast(1.0F / 6), g2, multiply(broadcast(1.0F / 24), g0));
  const Vector innerOfTwo = multiply(broadcast(1.0F / 12), g1);
  into[0] = multiply(broadcast(0.25F), g0);
  into[1] = subtract(outer, inner);
  into[2] = add(outer, inner);
  into[3] = add(outerOfTwo, innerOfTwo);
  into[4] = subtract(outerOfTwo, innerOfTwo);
  into[5] = g2;
}

// G^T u for six values.
inline void gatherSix(const Vector* u, Vector into[3]) {
  const Vector u1 = u[1], u2 = u[2], u3 = u[3], u4 = u[4];
  const Vector sum = multiply(broadcast(1.0F / 6), add(u1, u2)), sumOfTwo = add(u3, u4);
  const Vector outer = subtract(multiply(broadcast(0.25F), u[0]), sum);
  into[0] = multiplyAdd(broadcast(1.0F / 24), sumOfTwo, outer);
  into[1] = multiplyAdd(broadcast(1.0F / 12), subtract(u3, u4), multiply(broadcast(1.0F / 6), subtract(u2, u1)));
  into[2] = add(multiplyAdd(broadcast(1.0F / 6), sumOfTwo, u[5]), multiply(broadcast(-1.0F), sum));
}

// Transforms a square along its columns and then along its rows. read(y, x) returns the kIn x kIn vectors, and
// write(y, x, vector) takes the kOut x kOut results.
template <int kIn, int kOut, void (*transform)(const Vector*, Vector*), class Read, class Write>
inline void transformSquare(const Read& read, const Write& write) {
  Vector columns[kOut * kIn];
  for (int x = 0; x < kIn; ++x) {
    Vector from[kIn], into[kOut];
    for (int y = 0; y < kIn; ++y) from[y] = read(y, x);
    transform(from, into);
    for (int y = 0; y < kOut; ++y) columns[y * kIn + x] = into[y];
  }
  for (int y = 0; y < kOut; ++y) {
    Vector into[kOut];
    transform(columns + y * kIn, into);
    for (int x = 0; x < kOut; ++x) write(y, x, into[x]);
  }
}

// Transforms kIn x kIn pixels to the kWinograd4Patch x kWinograd4Patch positions.
template <int kIn, void (*transform)(const Vector*, Vector*)>
inline void winograd4Pixels(const Winograd4Pixels& pixels, int64_t depth, float* result, int64_t positionStride) {
  for (int64_t k = 0; k < depth; k += kLanes) {
    const bool isWhole = depth - k >= kLanes;
    const Mask mask = firstLanes(depth - k);
    transformSquare<kIn, kWinograd4Patch, transform>(
        [&](int y, int x) {
          const float* from = pixels.data + y * pixels.rowStride + x * pixels.columnStride + k;
          return isWhole ? load(from) : load(from, mask);
        },
        [&](int y, int x, Vector value) { store(result + (y * kWinograd4Patch + x) * positionStride + k, value); });
  }
}

inline void winograd4Sums(const float* sums, int64_t positionStride, const float* bias, bool accumulate,
                          int64_t columns, float* pixels, int64_t rowStride, int64_t columnStride) {
  for (int64_t c = 0; c < columns; c += kLanes) {
    const bool isWhole = columns - c >= kLanes;
    const Mask mask = firstLanes(columns - c);
    const Vector offset = bias == nullptr ? zero() : load(bias + c, mask);
    transformSquare<kWinograd4Patch, kWinograd4Tile, sumSix>(
        [&](int y, int x) { return load(sums + (y * kWinograd4Patch + x) * positionStride + c); },
        [&](int y, int x, Vector value) {
          float* to = pixels + y * rowStride + x * columnStride + c;
          Vector result = add(offset, value);
          if (accumulate) result = add(result, isWhole ? load(to) : load(to, mask));
          isWhole ? store(to, result) : store(to, result, mask);
        });
  }
}

constexpr int kKernelTaps = 3;

inline void winograd4Taps(const float* taps, int64_t count, float* result, int64_t positionStride) {
  for (int64_t i = 0; i < count; i += kLanes) {
    transformSquare<kKernelTaps, kWinograd4Patch, spreadThree>(
        [&](int y, int x) { return load(taps + (y * kKernelTaps + x) * count + i); },
        [&](int y, int x, Vector value) { store(result + (y * kWinograd4Patch + x) * positionStride + i, value); });
  }
}

inline void winograd4TapGradients(const float* sums, int64_t positionStride, int64_t count, float* taps) {
  for (int64_t i = 0; i < count; i += kLanes) {
    transformSquare<kWinograd4Patch, kKernelTaps, gatherSix>(
        [&](int y, int x) { return load(sums + (y * kWinograd4Patch + x) * positionStride + i); },
        [&](int y, int x, Vector value) { store(taps + (y * kKernelTaps + x) * count + i, value); });
  }
}

// Computes kTileRows rows of kVectors vectors.
template <int kVectors>
inline void matrixTile(const MatrixTask& task, const float* a, const float* b, float* c) {
  const float* rows[kTileRows];
  Vector sums[kTileRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kTileRows; ++r) {
    rows[r] = a + r * task.rowStride;
    for (int v = 0; v < kVectors; ++v)
      sums[r][v] = task.accumulate ? load(c + r * task.resultStride + v * kLanes) : zero();
  }
  int64_t at = 0;
  for (int64_t k = 0; k < task.depth; ++k, at += task.depthStride, b += task.rightStride) {
    Vector right[kVectors];
    for (int v = 0; v < kVectors; ++v) right[v] = load(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows; ++r) {
      const Vector left = broadcast(rows[r][at]);
      for (int v = 0; v < kVectors; ++v) sums[r][v] = multiplyAdd(left, right[v], sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kTileRows; ++r) {
    for (int v = 0; v < kVectors; ++v) store(c + r * task.resultStride + v * kLanes, sums[r][v]);
  }
}

inline void multiplyMatrices(const MatrixTask& task) {
  int64_t column = 0;
  const auto panel = [&](auto vectors) {
    for (int64_t row = 0; row < task.rows; row += kTileRows) {
      matrixTile<decltype(vectors)::value>(task, task.left + row * task.rowStride, task.right + column,
                                           task.result + row * task.resultStride + column);
    }
    column += decltype(vectors)::value * kLanes;
  };
  while (column + 2 * kLanes <= task.columns) panel(std::integral_constant<int, 2>());
  if (column < task.columns) panel(std::integral_constant<int, 1>());
}

const Winograd4Kernels kWinograd4Kernels = {kLanes,
                                            kTileRows,
                                            winograd4Pixels<kWinograd4Patch, transformSix>,
                                            winograd4Pixels<kWinograd4Tile, spreadFour>,
                                            winograd4Sums,
                                            winograd4Taps,
                                            winograd4TapGradients,
                                            multiplyMatrices};

}  // namespace

}  // namespace dan::ops::cpu
