// This registers the fused kernels as the CUDA implementations of the library "dualanodiff".
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "ops/cuda/launch.h"

namespace dan::cuda {

namespace {

// Runs `launch` with the current stream of the tensor's device, and reports errors of the launch itself.
template <class Launch>
auto onDeviceOf(const at::Tensor& tensor, const Launch& launch) {
  const c10::cuda::CUDAGuard guard(tensor.device());
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  if constexpr (std::is_void_v<decltype(launch(stream))>) {
    launch(stream);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  } else {
    auto result = launch(stream);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return result;
  }
}

at::Tensor geglu(const at::Tensor& x) {
  return onDeviceOf(x, [&](cudaStream_t stream) { return ops::cuda::geglu(x, stream); });
}

at::Tensor groupNormSilu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                         double eps) {
  return onDeviceOf(
      x, [&](cudaStream_t stream) { return ops::cuda::groupNormSilu(x, groups, weight, bias, eps, stream); });
}

std::tuple<at::Tensor, at::Tensor> pairNorm(const at::Tensor& attended, const at::Tensor& weight,
                                            const at::Tensor& bias, double eps) {
  return onDeviceOf(attended,
                    [&](cudaStream_t stream) { return ops::cuda::pairNorm(attended, weight, bias, eps, stream); });
}

void pairMix(at::Tensor& attended, const at::Tensor& anomaly, const at::Tensor& difference, const at::Tensor& products,
             const at::Tensor& base, const at::Tensor& scoreBias) {
  onDeviceOf(attended, [&](cudaStream_t stream) {
    ops::cuda::pairMix(attended, {anomaly, difference, products, base, scoreBias}, stream);
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(dualanodiff, CUDA, library) {
  library.impl("geglu", geglu);
  library.impl("group_norm_silu", groupNormSilu);
  library.impl("pair_norm", pairNorm);
  library.impl("pair_mix_", pairMix);
}

}  // namespace dan::cuda
