// GEGLU is the gate of the UNet's feed-forward layers (arXiv 2002.05202, section 2).
#pragma once

#include <ATen/ATen.h>

namespace dan::ops {

// x: (..., 2 C), the values and then the gates. Returns value * GELU(gate) with the exact GELU, (..., C).
at::Tensor geglu(const at::Tensor& x);
at::Tensor gegluPlain(const at::Tensor& x);

}  // namespace dan::ops
