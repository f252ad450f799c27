// These building blocks hold parameters and apply them, without other state. Linear and LayerNorm follow the dtype of
// their input, because trained parameters stay in float32 beside a base in low precision.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "nn/weights.h"
#include "ops/batch_norm_relu.h"
#include "ops/frozen.h"
#include "ops/group_norm_silu.h"

namespace dan::nn {

// Returns the sum. `fresh` is a result that nothing else refers to, so that it can hold the sum where no gradient needs
// it.
inline at::Tensor addedTo(at::Tensor fresh, const at::Tensor& x) {
  return at::GradMode::is_enabled() ? fresh + x : fresh.add_(x);
}

struct Linear {
  // (out, in), or (out, in, 1, 1) where files store the layer as a 1x1 convolution; (out) or undefined
  at::Tensor weight, bias;
  Linear() = default;
  Linear(const Weights& weights, int64_t in, int64_t out, bool hasBias = true)
      : weight(weights.take("weight", {out, in})), bias(hasBias ? weights.take("bias", {out}) : at::Tensor()) {}
  at::Tensor operator()(const at::Tensor& x) const {
    // A matrix made earlier would not be connected to a weight that has required gradients only since then.
    const at::Tensor matrix = weight.flatten(1);
    if (!weight.requires_grad()) return ops::frozenLinear(x, matrix, bias);
    return at::linear(x, matrix.to(x.dtype()), bias.defined() ? bias.to(x.dtype()) : bias);
  }
};

struct Conv2d {
  at::Tensor weight, bias;  // (out, in, k, k), (out)
  int64_t stride = 1, padding = 0, dilation = 1;
  Conv2d() = default;
  Conv2d(const Weights& weights, int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t padding = 0,
         int64_t dilation = 1)
      : weight(weights.take("weight", {out, in, kernel, kernel})),
        bias(weights.take("bias", {out})),
        stride(stride),
        padding(padding),
        dilation(dilation) {}
  at::Tensor operator()(const at::Tensor& x) const {
    if (!weight.requires_grad()) return ops::frozenConv2d(x, weight, bias, {stride, padding, dilation});
    return at::conv2d(x, weight, bias, stride, padding, dilation);
  }
};

struct GroupNorm {
  at::Tensor weight, bias;  // (channels)
  int64_t groups = 1;
  double eps = 1e-5;
  GroupNorm() = default;
  GroupNorm(const Weights& weights, int64_t channels, int64_t groups, double eps)
      : weight(weights.take("weight", {channels})), bias(weights.take("bias", {channels})), groups(groups), eps(eps) {}
  at::Tensor operator()(const at::Tensor& x) const { return at::group_norm(x, groups, weight, bias, eps); }
  at::Tensor thenSilu(const at::Tensor& x) const { return ops::groupNormSilu(x, groups, weight, bias, eps); }
};

// Training updates the running statistics.
struct BatchNorm2d {
  static constexpr double kMomentum = 0.1;
  at::Tensor weight, bias, runningMean, runningVar;  // (channels)
  double eps = 1e-5;
  BatchNorm2d() = default;
  BatchNorm2d(const Weights& weights, int64_t channels, double eps = 1e-5)
      : weight(weights.take("weight", {channels})),
        bias(weights.take("bias", {channels})),
        runningMean(weights.take("running_mean", {channels})),
        runningVar(weights.take("running_var", {channels})),
        eps(eps) {}
  at::Tensor operator()(const at::Tensor& x, bool training) const {
    return at::batch_norm(x, weight, bias, runningMean, runningVar, training, kMomentum, eps, /*cudnn_enabled=*/false);
  }
  at::Tensor thenRelu(const at::Tensor& x, bool training) const {
    return ops::batchNormRelu(x, {weight, bias, runningMean, runningVar}, training, kMomentum, eps);
  }
};

struct LayerNorm {
  at::Tensor weight, bias;  // (width)
  double eps = 1e-5;
  LayerNorm() = default;
  LayerNorm(const Weights& weights, int64_t width, double eps = 1e-5)
      : weight(weights.take("weight", {width})), bias(weights.take("bias", {width})), eps(eps) {}
  at::Tensor operator()(const at::Tensor& x) const {
    return at::layer_norm(x, weight.sizes(), weight.to(x.dtype()), bias.to(x.dtype()), eps);
  }
};

}  // namespace dan::nn
