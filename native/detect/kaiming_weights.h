// These are the first values of weights after He et al. (arXiv 1502.01852).
#pragma once

#include "core/tensor_map.h"

namespace dan::detect {

// Draws kernels from a normal distribution with variance 2 / fan out, as torchvision does. Transposed convolutions,
// whose kernels are 2 x 2, matrices and vectors keep the values that they have.
void drawKaimingWeights(const TensorMap& weights, at::Generator generator);

}  // namespace dan::detect
