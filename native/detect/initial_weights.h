// The first values of the weights of DRAEM's networks, as the published code draws them.
#pragma once

#include "core/tensor_map.h"

namespace dan::detect {

// Draws kernels from N(0, 0.02) and gains of norms from N(1, 0.02); biases are 0. Running statistics start at mean 0
// and variance 1. Matrices keep the values that they have.
void drawDraemWeights(const TensorMap& weights, at::Generator generator);

}  // namespace dan::detect
