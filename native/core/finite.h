// Whether numbers are numbers.
#pragma once

#include <ATen/ATen.h>

namespace dan {

// Whether no element is NaN or infinite, of any type that a weights file may have.
inline bool allFinite(const at::Tensor& tensor) {
  if (!tensor.is_floating_point()) return true;
  const bool isNarrow = c10::isFloat8Type(tensor.scalar_type());
  return at::isfinite(isNarrow ? tensor.to(at::kFloat) : tensor).all().item<bool>();
}

}  // namespace dan
