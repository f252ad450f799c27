// These functions run the fused kernels on tensors. They check the inputs and allocate the results. The tensors must
// lie where the kernels run: on the stream's device, or on the CPU under the emulator.
#pragma once

#include <ATen/ATen.h>
#include <cuda_runtime_api.h>

#include <tuple>

#include "ops/pair_mix.h"

namespace dan::ops::cuda {

at::Tensor geglu(const at::Tensor& x, cudaStream_t stream);
// The result is channels-last.
at::Tensor groupNormSilu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                         double eps, cudaStream_t stream);
std::tuple<at::Tensor, at::Tensor> pairNorm(const at::Tensor& attended, const at::Tensor& weight,
                                            const at::Tensor& bias, double eps, cudaStream_t stream);
// attended must be contiguous, since it is changed in place.
void pairMix(at::Tensor& attended, const PairProducts& pair, cudaStream_t stream);

}  // namespace dan::ops::cuda
