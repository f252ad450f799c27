// Scaled dot-product attention of many heads, by cpu/attention_loops.h where the CPU has kernels.
#pragma once

#include <ATen/ATen.h>

namespace dan::ops {

// q: (B, Lq, C); k, v: (B, Lk, C), all of one precision; head h has values [h * C / heads, (h + 1) * C / heads) of
// each. Scale 1 / sqrt(C / heads). Returns (B, Lq, C).
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads);
at::Tensor attentionPlain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                          bool causal = false);

}  // namespace dan::ops
