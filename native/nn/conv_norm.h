// This layer is a convolution without bias, followed by batch norm.
#pragma once

#include <optional>

#include "nn/layers.h"
#include "ops/trained_conv.h"

namespace dan::nn {

struct ConvNorm {
  at::Tensor kernel, bias;  // (out, in / groups, k, k); (out), undefined unless the layer is folded
  BatchNorm2d norm;
  int64_t stride = 1, groups = 1;

  ConvNorm() = default;
  // Odd kernels pad by half their size.
  ConvNorm(const Weights& conv, const Weights& norm, int64_t in, int64_t out, int64_t size, int64_t stride = 1,
           int64_t groups = 1, double eps = 1e-5)
      : kernel(conv.take("weight", {out, in / groups, size, size})),
        norm(norm, out, eps),
        stride(stride),
        groups(groups) {}

  // Merges the norm into the kernel, in float64. From then on the layer serves inference alone.
  void fold() {
    const at::Tensor scale = norm.weight.to(at::kDouble) / (norm.runningVar.to(at::kDouble) + norm.eps).sqrt();
    bias = (norm.bias.to(at::kDouble) - norm.runningMean.to(at::kDouble) * scale).to(kernel.dtype());
    kernel = (kernel.to(at::kDouble) * scale.view({-1, 1, 1, 1})).to(kernel.dtype());
    norm = {};
  }

  at::Tensor operator()(const at::Tensor& x, bool training) const {
    const at::Tensor y = convolve(x);
    return bias.defined() ? y : norm(y, training);
  }

 private:
  // With two threads, the gradient of a strided kernel of 1 x 1 writes beyond its memory if the channels do not fill
  // oneDNN's blocks (libtorch 2.11, AVX-512). Leaving out the pixels beforehand gives the same result.
  at::Tensor convolve(const at::Tensor& x) const {
    constexpr int64_t kBlock = 16;
    const bool leavesOut = kernel.size(2) == 1 && stride > 1 && x.size(1) % kBlock != 0;
    const at::Tensor kept = leavesOut ? x.slice(2, 0, std::nullopt, stride).slice(3, 0, std::nullopt, stride) : x;
    const int64_t step = leavesOut ? 1 : stride;
    if (groups == 1 && kernel.requires_grad())
      return ops::trainedConv2d(kept, kernel, bias, {step, kernel.size(2) / 2, /*dilation=*/1});
    return at::conv2d(kept, kernel, bias, step, kernel.size(2) / 2, /*dilation=*/1, groups);
  }
};

}  // namespace dan::nn
