// These helpers are shared by the operations of this folder. Each operation has a schema in the library "dualanodiff",
// a plain form made of ATen's operations, which the tests compare with, and a fused CUDA kernel (native/ops/cuda, in
// libdualanodiff_cuda.so).
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <initializer_list>

#include "ops/cpu/kernels.h"

namespace dan::ops {

// Returns true if autograd has to see the plain form, since fused kernels have no backward pass.
inline bool needsGradient(std::initializer_list<at::Tensor> inputs) {
  if (!at::GradMode::is_enabled()) return false;
  for (const at::Tensor& input : inputs) {
    if (input.defined() && input.requires_grad()) return true;
  }
  return false;
}

// Returns true if this CPU's kernels accept rows of these tensors. They need contiguous float32 rows that fill whole
// vectors.
inline bool runsOnKernels(std::initializer_list<at::Tensor> tensors, int64_t width) {
  const cpu::Kernels* kernels = cpu::kernels();
  if (kernels == nullptr || width % (kernels->panelColumns / 2) != 0) return false;
  for (const at::Tensor& x : tensors) {
    if (x.scalar_type() != at::kFloat || !x.is_contiguous()) return false;
  }
  return true;
}
constexpr int64_t kRowsOfTask = 64;

template <class Signature>
c10::TypedOperatorHandle<Signature> findOp(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

}  // namespace dan::ops
