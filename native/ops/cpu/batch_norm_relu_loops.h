// These are the passes over memory of ops/batch_norm_relu.h.
#pragma once

#include "ops/cpu/kernels.h"

namespace dan::ops::cpu {

namespace {

// Calls use(row, sums) for each row. Even and odd rows have sums of their own, so that additions need not wait for each
// other. Adds the odd sums to the even ones.
template <int count, class Use>
inline void sumRows(int64_t rows, Vector (&sums)[2][count], const Use& use) {
  int64_t row = 0;
  for (; row + 2 <= rows; row += 2) {
    use(row, sums[0]);
    use(row + 1, sums[1]);
  }
  if (row < rows) use(row, sums[0]);
  for (int i = 0; i < count; ++i) sums[0][i] = add(sums[0][i], sums[1][i]);
}

inline void columnMoments(const float* x, int64_t rows, int64_t width, float* means, float* squares) {
  for (int64_t k = 0; k < width; k += kLanes) {
    Vector sums[2][1] = {{zero()}, {zero()}}, apart[2][1] = {{zero()}, {zero()}};
    sumRows(rows, sums, [&](int64_t row, Vector* sum) { *sum = add(*sum, load(x + row * width + k)); });
    const Vector mean = multiply(sums[0][0], broadcast(1.0F / static_cast<float>(rows)));
    sumRows(rows, apart, [&](int64_t row, Vector* sum) {
      const Vector distance = subtract(load(x + row * width + k), mean);
      *sum = multiplyAdd(distance, distance, *sum);
    });
    store(means + k, mean);
    store(squares + k, apart[0][0]);
  }
}

inline void scaleAndCut(const float* x, int64_t rows, int64_t width, const float* scale, const float* offset,
                        float* result) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t k = 0; k < width; k += kLanes) {
      const Vector scaled = multiplyAdd(load(x + row * width + k), load(scale + k), load(offset + k));
      store(result + row * width + k, larger(zero(), scaled));  // keeps what is not a number
    }
  }
}

inline void gradientSums(const NormGradient& task, int64_t rows, float* sums, float* products) {
  for (int64_t k = 0; k < task.width; k += kLanes) {
    Vector both[2][2] = {{zero(), zero()}, {zero(), zero()}};
    const Vector mean = load(task.mean + k);
    sumRows(rows, both, [&](int64_t row, Vector* sum) {
      const int64_t at = row * task.width + k;
      const Vector gradient = wherePositive(load(task.result + at), load(task.gradient + at));
      sum[0] = add(sum[0], gradient);
      sum[1] = multiplyAdd(gradient, subtract(load(task.x + at), mean), sum[1]);
    });
    store(sums + k, both[0][0]);
    store(products + k, both[0][1]);
  }
}

inline void gradientOfInput(const NormGradient& task, int64_t rows, const NormFactors& factors, float* result) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t k = 0; k < task.width; k += kLanes) {
      const int64_t at = row * task.width + k;
      const Vector gradient = wherePositive(load(task.result + at), load(task.gradient + at));
      const Vector distance = subtract(load(task.x + at), load(task.mean + k));
      const Vector ofMoments = multiplyAdd(distance, load(factors.ofDistance + k), load(factors.offset + k));
      store(result + at, multiplyAdd(gradient, load(factors.ofGradient + k), ofMoments));
    }
  }
}

constexpr BatchNormReluLoops kBatchNormReluLoops = {kLanes, columnMoments, scaleAndCut, gradientSums, gradientOfInput};

}  // namespace

}  // namespace dan::ops::cpu
