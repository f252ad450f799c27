// This operation joins batch normalization and the ReLU after it. In training on the CPU it reads and writes memory
// less often than the two of libtorch do.
#pragma once

#include <ATen/ATen.h>

namespace dan::ops {

struct BatchNormTensors {
  at::Tensor weight, bias, runningMean, runningVar;  // (C); training updates the running statistics
};

// x: (N, C, h, w). Returns (N, C, h, w). The gradients do not depend on the number of threads.
at::Tensor batchNormRelu(const at::Tensor& x, const BatchNormTensors& norm, bool training, double momentum, double eps);
at::Tensor batchNormReluPlain(const at::Tensor& x, const BatchNormTensors& norm, bool training, double momentum,
                              double eps);

}  // namespace dan::ops
