#include "dual/saim.h"

#include <cmath>

#include "dual/branch.h"

namespace dan::dual {

Saim::Saim(const nn::Weights& weights, int64_t width)
    : norm(weights.scope("norm"), width, 1e-6),
      input(weights.scope("i"), width, width),
      q(weights.scope("q"), width, width),
      k(weights.scope("k"), width, width),
      v(weights.scope("v"), width, width),
      output(weights.scope("o"), width, width) {}

at::Tensor Saim::operator()(const at::Tensor& attended) const {
  const at::Tensor tokens = input(norm(attended));
  const at::Tensor queries = q(tokens), keys = k(tokens), values = v(tokens);
  const auto branch = [](const at::Tensor& x, Branch which) {
    return x.select(1, which).unsqueeze(1);
  };  // (B, 1, L, C)
  // A softmax over two tokens is a sigmoid of the difference of their scores: the weight that goes to the global
  // branch.
  const at::Tensor keyDifference = branch(keys, kGlobal) - branch(keys, kAnomaly);
  const double scale = 1.0 / std::sqrt(static_cast<double>(attended.size(-1)));
  const at::Tensor weight = at::sigmoid((queries * keyDifference).sum(-1, /*keepdim=*/true) * scale);
  const at::Tensor anomaly = branch(values, kAnomaly);
  return output(anomaly + weight * (branch(values, kGlobal) - anomaly));
}

}  // namespace dan::dual
