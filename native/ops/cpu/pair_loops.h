// These loops run the passes of a folded SAIM (ops/pair_norm.h, ops/pair_mix.h) for one pair of tokens at a time.
#pragma once

#include <cmath>

#include "ops/cpu/kernels.h"

namespace dan::ops::cpu {

namespace {

inline float dot(const float* a, const float* b, int64_t width) {
  Vector sum = zero();
  for (int64_t k = 0; k < width; k += kLanes) sum = multiplyAdd(load(a + k), load(b + k), sum);
  return sumOf(sum);
}

struct Moments {
  Vector mean, scale;
};
inline Moments momentsOf(const float* x, int64_t width, float eps) {
  const auto count = static_cast<float>(width);
  Vector sum = zero(), squares = zero();
  for (int64_t k = 0; k < width; k += kLanes) sum = add(sum, load(x + k));
  const Vector mean = broadcast(sumOf(sum) / count);
  for (int64_t k = 0; k < width; k += kLanes) {
    const Vector apart = subtract(load(x + k), mean);
    squares = multiplyAdd(apart, apart, squares);
  }
  return {mean, broadcast(1 / std::sqrt(sumOf(squares) / count + eps))};
}

inline void pairNorm(const PairNormTask& task) {
  const Moments ofWhole = momentsOf(task.whole, task.width, task.eps),
                ofPart = momentsOf(task.part, task.width, task.eps);
  for (int64_t k = 0; k < task.width; k += kLanes) {
    const Vector x0 = multiply(subtract(load(task.whole + k), ofWhole.mean), ofWhole.scale);
    const Vector x1 = multiply(subtract(load(task.part + k), ofPart.mean), ofPart.scale), gain = load(task.weight + k);
    store(task.anomaly + k, multiplyAdd(x1, gain, load(task.bias + k)));
    store(task.difference + k, multiply(subtract(x0, x1), gain));
  }
}

inline void pairMix(const PairMixTask& task) {
  const float *direction = task.products, *change = task.products + task.width;
  const float ofPart = dot(task.anomaly, direction, task.width) + dot(task.difference, task.scoreBias, task.width);
  const float ofWhole = ofPart + dot(task.difference, direction, task.width);
  const auto weight = [](float score) { return broadcast(1 / (1 + std::exp(-score))); };
  const Vector wholeWeight = weight(ofWhole), partWeight = weight(ofPart);
  for (int64_t k = 0; k < task.width; k += kLanes) {
    const Vector base = load(task.base + k), value = load(change + k);
    store(task.whole + k, multiplyAdd(wholeWeight, value, add(load(task.whole + k), base)));
    store(task.part + k, multiplyAdd(partWeight, value, add(load(task.part + k), base)));
  }
}

}  // namespace

}  // namespace dan::ops::cpu
