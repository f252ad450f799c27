// This is the first pass of a folded SAIM (DESIGN section 5). It applies the layer norm to both branches' tokens and
// takes their difference.
#pragma once

#include <ATen/ATen.h>

#include <tuple>

namespace dan::ops {

// attended: (2, T, C), the whole image's tokens and then the part's; weight, bias: (C), in the same dtype. Returns the
// part's normalised tokens x_1 and the difference x_0 - x_1, each (T, C). It supports no gradients, so it serves
// sampling only.
std::tuple<at::Tensor, at::Tensor> pairNorm(const at::Tensor& attended, const at::Tensor& weight,
                                            const at::Tensor& bias, double eps);
std::tuple<at::Tensor, at::Tensor> pairNormPlain(const at::Tensor& attended, const at::Tensor& weight,
                                                 const at::Tensor& bias, double eps);

}  // namespace dan::ops
