// Scaled dot-product attention of many heads, by cpu/attention_loops.h where the CPU has kernels.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace dan::ops {

// Whether libtorch's attention would fail: for half precision it packs keys and values where the CPU has AMX, but can
// do so in its kernels for AVX-512 alone, and ATEN_CPU_CAPABILITY may have chosen others.
bool cannotPack(const std::string& cpuCapability, bool packs);

// q: (B, Lq, C); k, v: (B, Lk, C), all of one precision; head h has values [h * C / heads, (h + 1) * C / heads) of
// each. Scale 1 / sqrt(C / heads). Returns (B, Lq, C).
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads);
at::Tensor attentionPlain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                          bool causal = false);

}  // namespace dan::ops
