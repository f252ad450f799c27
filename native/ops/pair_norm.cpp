#include "ops/pair_norm.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include "ops/cpu/kernels.h"
#include "ops/op.h"

namespace dan::ops {

namespace {

std::tuple<at::Tensor, at::Tensor> pairNormCpu(const at::Tensor& attended, const at::Tensor& weight,
                                               const at::Tensor& bias, double eps) {
  const int64_t tokens = attended.size(1), width = attended.size(2);
  if (!runsOnKernels({attended, weight, bias}, width)) return pairNormPlain(attended, weight, bias, eps);
  at::Tensor anomaly = at::empty({tokens, width}, attended.options()), difference = at::empty_like(anomaly);
  const auto* whole = attended.const_data_ptr<float>();
  auto *x1 = anomaly.mutable_data_ptr<float>(), *d = difference.mutable_data_ptr<float>();
  const auto *gain = weight.const_data_ptr<float>(), *offset = bias.const_data_ptr<float>();
  at::parallel_for(0, tokens, kRowsOfTask, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * width; at < end * width; at += width) {
      cpu::kernels()->pairNorm(
          {whole + at, whole + tokens * width + at, gain, offset, static_cast<float>(eps), width, x1 + at, d + at});
    }
  });
  return {anomaly, difference};
}

}  // namespace

std::tuple<at::Tensor, at::Tensor> pairNormPlain(const at::Tensor& attended, const at::Tensor& weight,
                                                 const at::Tensor& bias, double eps) {
  const at::Tensor x = at::layer_norm(attended, weight.sizes(), weight, bias, eps);
  return {x[1], x[0] - x[1]};
}

std::tuple<at::Tensor, at::Tensor> pairNorm(const at::Tensor& attended, const at::Tensor& weight,
                                            const at::Tensor& bias, double eps) {
  static const auto op = findOp<decltype(pairNormPlain)>("dualanodiff::pair_norm");
  return op.call(attended, weight, bias, eps);
}

TORCH_LIBRARY_FRAGMENT(dualanodiff, library) {
  library.def("pair_norm(Tensor attended, Tensor weight, Tensor bias, float eps) -> (Tensor, Tensor)");
}
TORCH_LIBRARY_IMPL(dualanodiff, CPU, library) { library.impl("pair_norm", pairNormCpu); }

}  // namespace dan::ops
