// This is multi-head scaled dot-product attention. CPUs that have our kernels run cpu/attention_loops.h.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace dan::ops {

// Returns true if libtorch's attention would fail on this CPU. For half precision it packs keys and values where the
// CPU has AMX, but only its AVX-512 kernels can do so, and ATEN_CPU_CAPABILITY may have selected others.
bool cannotPack(const std::string& cpuCapability, bool packs);

// q: (B, Lq, C); k, v: (B, Lk, C). All have one dtype. Head h owns the values [h * C / heads, (h + 1) * C / heads) of
// each. The scale is 1 / sqrt(C / heads). Returns (B, Lq, C).
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads);
at::Tensor attentionPlain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                          bool causal = false);
// Runs on this CPU's kernels. The caller knows that they take the dtype and that no gradient is needed.
at::Tensor attentionOnKernels(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads);

}  // namespace dan::ops
