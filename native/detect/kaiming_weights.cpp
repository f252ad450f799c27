#include "detect/kaiming_weights.h"

#include <cmath>

#include "core/random.h"

namespace dan::detect {

void drawKaimingWeights(const TensorMap& weights, at::Generator generator) {
  constexpr int64_t kTransposed = 2;
  for (const auto& [name, weight] : weights) {
    if (weight.dim() != 4 || weight.size(2) == kTransposed) continue;
    const auto fanOut = static_cast<double>(weight.size(0) * weight.size(2) * weight.size(3));
    at::Tensor(weight).copy_(std::sqrt(2 / fanOut) * randn(weight.sizes(), generator));
  }
}

}  // namespace dan::detect
