// These linear layers and convolutions have weights that are not trained. Gradients flow only to the input, and
// autograd keeps only the weights in their stored form. In float32 they run on cpu/product.h where the CPU has kernels,
// and in bfloat16 on cpu/amx_product.h where that is faster than libtorch.
#pragma once

#include <ATen/ATen.h>

namespace dan::ops {

// Returns true if both layers read stored weights of any layout, also in half or bfloat16, as fast as contiguous ones
// of the working dtype `dtype`.
bool readsStoredWeights(at::Device device, at::ScalarType dtype);

// x: (..., in); weight: (out, in), in x's dtype or, in float32 on the CPU, in a narrower one; bias: (out) or undefined.
// Returns (..., out).
at::Tensor frozenLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);
at::Tensor frozenLinearPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// This applies a separate linear layer to each of G groups. x: (G, T, in); weight: (G, in, out), the transpose of what
// Linear has; bias: (out), shared by all groups, or undefined. Returns (G, T, out). It supports no gradients, so it
// serves sampling only.
at::Tensor groupedLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});
at::Tensor groupedLinearPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

struct ConvGeometry {
  int64_t stride = 1, padding = 0, dilation = 1;
};

// x: (N, in, h, w); weight: (out, in, k, k), in a dtype that frozenLinear accepts; bias: (out) or undefined. Returns
// (N, out, h', w').
at::Tensor frozenConv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const ConvGeometry& geometry);
at::Tensor frozenConv2dPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             const ConvGeometry& geometry);

}  // namespace dan::ops
