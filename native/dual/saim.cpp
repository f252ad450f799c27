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
  // Folding saves seven products of C x C per pair of tokens and costs five of C x C x C.
  const at::Tensor tokens = norm(attended);
  const int64_t width = tokens.size(-1);
  const int64_t pairs = tokens.numel() / (kNumBranches * width);
  return pairs >= width ? byFolding(tokens) : byProducts(tokens);
}

at::Tensor Saim::byProducts(const at::Tensor& tokens) const {
  const at::Tensor mixed = input(tokens);
  const at::Tensor anomaly = mixed.select(1, kAnomaly), difference = mixed.select(1, kGlobal) - anomaly;  // (B, L, C)
  // A softmax over two tokens is the sigmoid of the difference of their scores. This is the weight of the global
  // branch. We carry the difference of the keys, in which their bias cancels, back through the queries' product,
  // because there is one difference but two queries. Weight decay needs a gradient for the bias, so the bias is added
  // with factor zero.
  const at::Tensor keyDifference = at::matmul(difference, k.weight.to(tokens.dtype()).t()) + 0 * k.bias.sum();
  const at::Tensor direction = at::matmul(keyDifference, q.weight.to(tokens.dtype()));
  const at::Tensor offset = at::matmul(keyDifference, q.bias.to(tokens.dtype()));
  const double scale = 1.0 / std::sqrt(static_cast<double>(tokens.size(-1)));
  const at::Tensor scores = (mixed * direction.unsqueeze(1)).sum(-1, /*keepdim=*/true);
  const at::Tensor weight = at::sigmoid((scores + offset.unsqueeze(-1).unsqueeze(1)) * scale);
  const at::Tensor valueDifference = at::matmul(difference, v.weight.to(tokens.dtype()).t());
  return output(v(anomaly).unsqueeze(1) + weight * valueDifference.unsqueeze(1));
}

at::Tensor Saim::byFolding(const at::Tensor& tokens) const {
  const SaimFold fold(*this, input.weight.scalar_type());
  const auto cast = [&](const at::Tensor& x) { return x.to(tokens.dtype()); };
  const int64_t width = tokens.size(-1);
  const at::Tensor anomaly = tokens.select(1, kAnomaly);
  const at::Tensor difference = tokens.select(1, kGlobal) - anomaly;
  const at::Tensor stacked = at::cat({fold.scores, fold.values, fold.scoreBias.unsqueeze(0)});
  const auto products = at::linear(difference, cast(stacked)).unsqueeze(1).split_with_sizes({width, width, 1}, -1);
  const at::Tensor weight = at::sigmoid((tokens * products[0]).sum(-1, /*keepdim=*/true) + products[2]);
  return at::linear(anomaly, cast(fold.values), cast(fold.bias)).unsqueeze(1) + weight * products[1];
}

SaimFold::SaimFold(const Saim& saim, at::ScalarType precision) {
  const auto in = [precision](const at::Tensor& x) { return x.to(precision); };
  const at::Tensor wi = in(saim.input.weight), wq = in(saim.q.weight), wo = in(saim.output.weight);
  const at::Tensor wv = in(saim.v.weight), bi = in(saim.input.bias);
  const double scale = 1.0 / std::sqrt(static_cast<double>(wi.size(0)));
  const at::Tensor keys = at::matmul(in(saim.k.weight), wi);
  scores = scale * at::matmul(at::matmul(wq, wi).t(), keys);
  // The keys' bias cancels in their difference. Weight decay needs a gradient for it, so it is added with factor zero.
  scoreBias = scale * at::matmul(keys.t(), at::matmul(wq, bi) + in(saim.q.bias)) + 0 * in(saim.k.bias);
  values = at::matmul(wo, at::matmul(wv, wi));
  bias = at::matmul(wo, at::matmul(wv, bi) + in(saim.v.bias)) + in(saim.output.bias);
}

}  // namespace dan::dual
