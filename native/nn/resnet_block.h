// This is the residual block of the UNet (with time embedding) and of the autoencoder (without).
#pragma once

#include <optional>

#include "nn/layers.h"

namespace dan::nn {

class ResnetBlock {
 public:
  // The block has no time embedding if timeWidth is 0.
  ResnetBlock(const Weights& weights, int64_t in, int64_t out, int64_t timeWidth, int64_t groups, double eps);
  // x: (N, in, h, w); temb: (N, timeWidth), after its SiLU, or undefined. Returns (N, out, h, w).
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& temb = {}) const;

 private:
  GroupNorm norm1_, norm2_;
  Conv2d conv1_, conv2_;
  std::optional<Linear> timeProjection_;
  std::optional<Conv2d> shortcut_;
};

// Upsamples to (height, width) by nearest neighbour, then applies a 3x3 convolution.
struct Upsample {
  Conv2d conv;
  Upsample(const Weights& weights, int64_t channels) : conv(weights.scope("conv"), channels, channels, 3, 1, 1) {}
  at::Tensor operator()(const at::Tensor& x, int64_t height, int64_t width) const;
};

}  // namespace dan::nn
