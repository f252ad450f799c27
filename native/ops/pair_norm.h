// The first pass of a folded SAIM (DESIGN section 5): layer norm of both branches' tokens, and their difference.
#pragma once

#include <ATen/ATen.h>

#include <tuple>

namespace dan::ops {

// attended: (2, T, C), whole image's tokens and part's; weight, bias: (C), of its precision. Returns the part's
// normalised tokens x_1 and the difference x_0 - x_1, (T, C) each. For sampling: without gradients.
std::tuple<at::Tensor, at::Tensor> pairNorm(const at::Tensor& attended, const at::Tensor& weight,
                                            const at::Tensor& bias, double eps);
std::tuple<at::Tensor, at::Tensor> pairNormPlain(const at::Tensor& attended, const at::Tensor& weight,
                                                 const at::Tensor& bias, double eps);

}  // namespace dan::ops
