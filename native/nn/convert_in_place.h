// The weights of a base in half precision are gigabytes. Converting them where they lie touches no new memory, whose
// pages the kernel would have to clear first, and needs no second copy.
#pragma once

#include <ATen/ATen.h>

namespace dan::nn {

// Returns true if a matrix or kernel is a half-precision tensor on the CPU whose memory only `owners` references to
// this one tensor reach, and `dtype` has the same size.
bool canConvertInPlace(const at::Tensor& weight, at::ScalarType dtype, size_t owners);

// weight: (out, in) or (out, in, k, k), contiguous, of half or bfloat16. Returns the same numbers in `dtype`, one of
// these two. Kernels become channels-last. The given tensor is not to be used any more.
at::Tensor convertInPlace(const at::Tensor& weight, at::ScalarType dtype);

}  // namespace dan::nn
