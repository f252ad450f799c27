// This operation joins group normalisation and the SiLU after it. Every residual block has the two twice.
#pragma once

#include <ATen/ATen.h>

namespace dan::ops {

// x: (N, C, h, w); weight, bias: (C), in x's dtype. C must be a multiple of groups. Returns (N, C, h, w).
at::Tensor groupNormSilu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                         double eps);
at::Tensor groupNormSiluPlain(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                              double eps);

}  // namespace dan::ops
