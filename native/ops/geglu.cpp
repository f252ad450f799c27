#include "ops/geglu.h"

#include <torch/library.h>

#include "ops/op.h"

namespace dan::ops {

at::Tensor gegluPlain(const at::Tensor& x) {
  const auto halves = x.chunk(2, -1);
  return halves[0] * at::gelu(halves[1]);
}

at::Tensor geglu(const at::Tensor& x) {
  if (needsGradient({x})) return gegluPlain(x);
  static const auto op = findOp<at::Tensor(const at::Tensor&)>("dualanodiff::geglu");
  return op.call(x);
}

TORCH_LIBRARY_FRAGMENT(dualanodiff, library) { library.def("geglu(Tensor x) -> Tensor"); }
TORCH_LIBRARY_IMPL(dualanodiff, CPU, library) { library.impl("geglu", gegluPlain); }

}  // namespace dan::ops
