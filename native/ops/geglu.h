// GEGLU, the gate of the UNet's feed-forward layers (arXiv 2002.05202, GEGLU of section 2).
#pragma once

#include <ATen/ATen.h>

namespace dan::ops {

// x: (..., 2 C), value and gate. Returns value * GELU(gate), the GELU exact, (..., C).
at::Tensor geglu(const at::Tensor& x);
at::Tensor gegluPlain(const at::Tensor& x);

}  // namespace dan::ops
