// A frozen linear layer with a LoRA (arXiv 2106.09685) of its own for each branch of a pair, as every projection of a
// dual UNet in training.
#pragma once

#include <ATen/ATen.h>

#include <array>

namespace dan::ops {

// Trained matrices in float32, by branch: (rank, in) and (out, rank).
struct LoraMatrices {
  std::array<at::Tensor, 2> down, up;
};

// x: (B, 2, L, in), the second dimension its branches; weight: (out, in) and bias: (out) or undefined, as for
// frozenLinear. Returns x W' + bias + scale (x down') up', (B, 2, L, out). Gradients reach x and the LoRA, of
// which autograd keeps x and (x down') alone; and weight and bias, where those are trained too (pretraining).
at::Tensor loraLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const LoraMatrices& lora,
                      double scale);
at::Tensor loraLinearPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const LoraMatrices& lora, double scale);

}  // namespace dan::ops
