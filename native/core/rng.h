// Random choices of one example from one generator. Their order is part of what a seed means.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>

namespace dan {

class Rng {
 public:
  explicit Rng(at::Generator generator) : generator_(std::move(generator)) {}

  // In [low, high).
  double uniform(double low = 0, double high = 1) {
    return low + (high - low) * at::rand({}, generator_, at::TensorOptions().dtype(at::kDouble)).item<double>();
  }
  // In 0 .. count - 1.
  int64_t below(int64_t count) {
    return std::min(static_cast<int64_t>(uniform() * static_cast<double>(count)), count - 1);
  }
  bool coin() { return uniform() < 0.5; }
  // Float32 in [0, 1).
  at::Tensor uniform(at::IntArrayRef shape) { return at::rand(shape, generator_, at::kFloat); }
  // Float32 from the standard normal distribution.
  at::Tensor normal(at::IntArrayRef shape) { return at::randn(shape, generator_, at::kFloat); }
  // Leaves out the numbers that uniform(shape) would have had.
  void skip(at::IntArrayRef shape) { uniform(shape); }

 private:
  at::Generator generator_;
};

}  // namespace dan
