// Linear layers and convolutions whose weights are not trained: gradients flow to the input alone, and autograd keeps
// nothing but the weights, as they are stored. In float32 they run on cpu/product.h where the CPU has
// kernels.
#pragma once

#include <ATen/ATen.h>

namespace dan::ops {

// Whether the two read weights of any layout, in half or bfloat16 too, as fast as others while the work is in `dtype`.
bool readsStoredWeights(at::Device device, at::ScalarType dtype);

// x: (..., in); weight: (out, in), of x's precision or, in float32 on the CPU, narrower; bias: (out) or undefined.
// Returns (..., out).
at::Tensor frozenLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);
at::Tensor frozenLinearPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// A linear layer for each of G groups. x: (G, T, in); weight: (G, in, out), transposed to Linear's; bias: (out), of
// all, or undefined. Returns (G, T, out). For sampling: without gradients.
at::Tensor groupedLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});
at::Tensor groupedLinearPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

struct ConvGeometry {
  int64_t stride = 1, padding = 0, dilation = 1;
};

// x: (N, in, h, w); weight: (out, in, k, k), as for frozenLinear; bias: (out) or undefined. Returns (N, out, h', w').
at::Tensor frozenConv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const ConvGeometry& geometry);
at::Tensor frozenConv2dPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             const ConvGeometry& geometry);

}  // namespace dan::ops
