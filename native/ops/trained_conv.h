// These convolutions have weights that are trained. On the CPU in float32, those of 3x3 run on cpu/winograd4.h where
// that is faster than libtorch. They have first derivatives only.
#pragma once

#include <ATen/ATen.h>

#include "ops/frozen.h"

namespace dan::ops {

// x: (N, in, h, w); weight: (out, in, k, k); bias: (out) or undefined. Returns (N, out, h', w').
at::Tensor trainedConv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         const ConvGeometry& geometry);
at::Tensor trainedConv2dPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const ConvGeometry& geometry);

}  // namespace dan::ops
