#include "ops/pair_mix.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include "ops/cpu/kernels.h"
#include "ops/op.h"

namespace dan::ops {

namespace {

void pairMixCpu(at::Tensor& attended, const at::Tensor& anomaly, const at::Tensor& difference,
                const at::Tensor& products, const at::Tensor& base, const at::Tensor& scoreBias) {
  const int64_t tokens = attended.size(1), width = attended.size(2);
  if (!runsOnKernels({attended, anomaly, difference, products, base, scoreBias}, width)) {
    return pairMixPlain(attended, {anomaly, difference, products, base, scoreBias});
  }
  auto* whole = attended.mutable_data_ptr<float>();
  const auto read = [](const at::Tensor& x) { return x.const_data_ptr<float>(); };
  const float *x1 = read(anomaly), *d = read(difference), *ab = read(products), *b = read(base), *c = read(scoreBias);
  at::parallel_for(0, tokens, kRowsOfTask, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * width; at < end * width; at += width) {
      cpu::kernels()->pairMix(
          {whole + at, whole + tokens * width + at, x1 + at, d + at, ab + 2 * at, b + at, c, width});
    }
  });
}

}  // namespace

void pairMixPlain(at::Tensor& attended, const PairProducts& pair) {
  const auto products = pair.products.chunk(2, -1);
  const at::Tensor ofAnomaly = (pair.anomaly * products[0]).sum(-1, /*keepdim=*/true) +
                               at::matmul(pair.difference, pair.scoreBias).unsqueeze(-1);
  const at::Tensor ofGlobal = ofAnomaly + (pair.difference * products[0]).sum(-1, /*keepdim=*/true);
  attended.add_(pair.base);
  attended.addcmul_(at::sigmoid(at::stack({ofGlobal, ofAnomaly})), products[1]);
}

void pairMix(at::Tensor& attended, const PairProducts& pair) {
  static const auto op = findOp<decltype(pairMixCpu)>("dualanodiff::pair_mix_");
  op.call(attended, pair.anomaly, pair.difference, pair.products, pair.base, pair.scoreBias);
}

TORCH_LIBRARY_FRAGMENT(dualanodiff, library) {
  library.def(
      "pair_mix_(Tensor(a!) attended, Tensor anomaly, Tensor difference, Tensor products, Tensor base, "
      "Tensor score_bias) -> ()");
}
TORCH_LIBRARY_IMPL(dualanodiff, CPU, library) { library.impl("pair_mix_", pairMixCpu); }

}  // namespace dan::ops
