// A frozen linear layer has a separate LoRA (arXiv 2106.09685) for each branch of a pair. Every projection of the dual
// UNet uses this operation in training.
#pragma once

#include <ATen/ATen.h>

#include <array>

namespace dan::ops {

// The trained matrices are in float32, one of each kind per branch: down (rank, in) and up (out, rank).
struct LoraMatrices {
  std::array<at::Tensor, 2> down, up;
};

// x: (B, 2, L, in), whose second dimension is the branch; weight: (out, in); bias: (out) or undefined. Returns x W' +
// bias + scale (x down') up', (B, 2, L, out). Gradients reach x and the LoRA, and autograd keeps only x and (x down')
// for them. Gradients also reach weight and bias where these are trained (pretraining).
at::Tensor loraLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const LoraMatrices& lora,
                      double scale);
at::Tensor loraLinearPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const LoraMatrices& lora, double scale);

}  // namespace dan::ops
