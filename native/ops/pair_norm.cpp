#include "ops/pair_norm.h"

#include <torch/library.h>

#include "ops/op.h"

namespace dan::ops {

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
TORCH_LIBRARY_IMPL(dualanodiff, CPU, library) { library.impl("pair_norm", pairNormPlain); }

}  // namespace dan::ops
