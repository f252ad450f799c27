#include "ops/attention.h"

#include <ATen/Version.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>

#include "ops/amx_pays.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/share_tasks.h"
#include "ops/op.h"

namespace dan::ops {

namespace {

using Attend = void (*)(const cpu::AttentionTask&, float*);

// Returns null where this CPU has no kernel for the dtype.
Attend attendOf(at::ScalarType dtype) {
  const cpu::Kernels* kernels = cpu::kernels();
  if (kernels == nullptr) return nullptr;
  return dtype == at::kFloat ? kernels->attendFloat : dtype == at::kBFloat16 ? kernels->attendBFloat16 : nullptr;
}

// Returns true where libtorch's attention has to do the work, or is faster.
bool isPlain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  if (q.numel() == 0 || !q.device().is_cpu() || needsGradient({q, k, v}) || attendOf(q.scalar_type()) == nullptr)
    return true;
  const bool hasAmx = q.scalar_type() == at::kBFloat16 && cpu::kernels()->amx != nullptr;
  return hasAmx && !amxPaysForAttention(k.size(1));
}

at::Tensor withDenseRows(const at::Tensor& x) { return x.stride(2) == 1 ? x : x.contiguous(); }

}  // namespace

bool cannotPack(const std::string& cpuCapability, bool packs) { return packs && cpuCapability != "AVX512"; }

at::Tensor attentionPlain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads, bool causal) {
  const at::ScalarType dtype = q.scalar_type();
  if (q.device().is_cpu() && at::isReducedFloatingType(dtype) &&
      cannotPack(at::get_cpu_capability(), at::native::cpublas::could_pack(dtype))) {
    const auto wide = [](const at::Tensor& x) { return x.to(at::kFloat); };  // libtorch never packs float32
    return attentionPlain(wide(q), wide(k), wide(v), heads, causal).to(dtype);
  }
  const auto split = [heads](const at::Tensor& x) { return x.unflatten(-1, {heads, -1}).transpose(1, 2); };
  return at::scaled_dot_product_attention(split(q), split(k), split(v), {}, 0.0, causal).transpose(1, 2).flatten(-2);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads) {
  return isPlain(q, k, v) ? attentionPlain(q, k, v, heads) : attentionOnKernels(q, k, v, heads);
}

at::Tensor attentionOnKernels(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                              int64_t heads) {
  const Attend attend = attendOf(queries.scalar_type());
  RECORD_FUNCTION("dualanodiff::attention", {});
  const at::Tensor q = withDenseRows(queries), k = withDenseRows(keys), v = withDenseRows(values);
  const int64_t batch = q.size(0), length = q.size(1), width = q.size(2) / heads;
  at::Tensor result = at::empty(q.sizes(), q.options());
  // Every task packs the keys and values of its head, so a task should have many queries.
  constexpr int64_t kFewestQueries = 64;
  const int64_t wanted = (4 * at::get_num_threads() + batch * heads - 1) / (batch * heads);
  const int64_t parts = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(length / kFewestQueries, 1));
  const auto rows = [&](const at::Tensor& x, int64_t b, int64_t head, int64_t first, int64_t count) {
    const int64_t offset = b * x.stride(0) + first * x.stride(1) + head * width;
    return cpu::HeadRows{static_cast<const char*>(x.const_data_ptr()) + offset * x.element_size(), count, x.stride(1)};
  };
  cpu::shareTasks(batch * heads * parts, [&](cpu::TaskSource& tasks) {
    // A tensor begins where a cache line begins.
    const at::Tensor scratch = at::empty({cpu::kernels()->attentionScratch(k.size(1), width)}, at::kFloat);
    while (const auto item = tasks.next()) {
      const int64_t b = *item / parts / heads, head = *item / parts % heads, part = *item % parts;
      const int64_t first = length * part / parts, count = length * (part + 1) / parts - first;
      const cpu::HeadRows into = rows(result, b, head, first, count);
      const cpu::AttentionTask task{rows(q, b, head, first, count),
                                    rows(k, b, head, 0, k.size(1)),
                                    rows(v, b, head, 0, v.size(1)),
                                    width,
                                    static_cast<float>(1 / std::sqrt(static_cast<double>(width))),
                                    const_cast<void*>(into.data),
                                    into.stride};
      attend(task, scratch.mutable_data_ptr<float>());
    }
  });
  return result;
}

}  // namespace dan::ops
