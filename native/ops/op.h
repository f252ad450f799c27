// What the operations of this folder share. Each has a schema in the library "dualanodiff", a plain form out of ATen's
// own operations, which is its test oracle, and a fused kernel on CUDA (native/ops/cuda, in
// libdualanodiff_cuda.so).
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <initializer_list>

#include "ops/cpu/kernels.h"

namespace dan::ops {

// Whether autograd has to see the plain form: fused kernels have no backward.
inline bool needsGradient(std::initializer_list<at::Tensor> inputs) {
  if (!at::GradMode::is_enabled()) return false;
  for (const at::Tensor& input : inputs) {
    if (input.defined() && input.requires_grad()) return true;
  }
  return false;
}

// Whether this CPU's kernels take rows of such tensors: contiguous, float32, of whole vectors.
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
