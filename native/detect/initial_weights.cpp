#include "detect/initial_weights.h"

#include "core/random.h"

namespace dan::detect {

void drawDraemWeights(const TensorMap& weights, at::Generator generator) {
  constexpr double kDeviation = 0.02;
  for (const auto& [name, weight] : weights) {
    at::Tensor tensor = weight;
    const bool kernel = tensor.dim() == 4, gain = tensor.dim() == 1 && name.find("weight") != std::string::npos;
    if (kernel || gain) {
      tensor.copy_(kDeviation * randn(tensor.sizes(), generator) + (gain ? 1.0 : 0.0));
    } else if (tensor.dim() == 1) {
      tensor.fill_(name.find("running_var") != std::string::npos ? 1.0 : 0.0);
    }
  }
}

}  // namespace dan::detect
