#include "ops/group_norm_silu.h"

#include <torch/library.h>

#include "ops/op.h"

namespace dan::ops {

at::Tensor groupNormSiluPlain(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                              double eps) {
  return at::silu(at::group_norm(x, groups, weight, bias, eps));
}

at::Tensor groupNormSilu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                         double eps) {
  if (needsGradient({x, weight, bias})) return groupNormSiluPlain(x, groups, weight, bias, eps);
  static const auto op = findOp<decltype(groupNormSiluPlain)>("dualanodiff::group_norm_silu");
  return op.call(x, groups, weight, bias, eps);
}

TORCH_LIBRARY_FRAGMENT(dualanodiff, library) {
  library.def("group_norm_silu(Tensor x, int groups, Tensor weight, Tensor bias, float eps) -> Tensor");
}
TORCH_LIBRARY_IMPL(dualanodiff, CPU, library) { library.impl("group_norm_silu", groupNormSiluPlain); }

}  // namespace dan::ops
