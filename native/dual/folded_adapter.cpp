#include "dual/folded_adapter.h"

#include <ATen/core/grad_mode.h>

#include "ops/frozen.h"
#include "ops/pair_mix.h"
#include "ops/pair_norm.h"

namespace dan::dual {

namespace {

at::Tensor asFloat(const at::Tensor& x) { return x.detach().to(at::kFloat); }

// (2, in, out): the projection of each branch with its LoRA, transposed.
at::Tensor merged(const nn::Linear& linear, const BranchLora& lora, double scale) {
  std::vector<at::Tensor> branches;
  for (int64_t branch = 0; branch < kNumBranches; ++branch) {
    const at::Tensor change = at::matmul(asFloat(lora.up[branch]), asFloat(lora.down[branch]));
    branches.push_back((asFloat(linear.weight) + scale * change).t());
  }
  return at::stack(branches);
}

FoldedLayer fold(const nn::AttentionLayer& layer, const AdapterLayer& adapter, double scale, at::ScalarType dtype) {
  const at::Tensor q = merged(layer.toQ, adapter.q, scale), k = merged(layer.toK, adapter.k, scale),
                   v = merged(layer.toV, adapter.v, scale);
  const auto done = [dtype](const at::Tensor& x) { return x.to(dtype).contiguous(); };
  FoldedLayer folded{{},
                     {},
                     {},
                     done(merged(layer.toOut, adapter.out, scale)),
                     layer.toOut.bias.detach().to(dtype),
                     FoldedSaim(adapter.saim, dtype),
                     adapter.background};
  if (layer.isSelfAttention) {
    folded.qkv = done(at::cat({q, k, v}, 2));
    folded.q = folded.qkv.narrow(2, 0, layer.width);
    folded.kv = folded.qkv.narrow(2, layer.width, 2 * layer.width);
  } else {
    folded.q = done(q);
    folded.kv = done(at::cat({k, v}, 2));
  }
  return folded;
}

}  // namespace

FoldedSaim::FoldedSaim(const Saim& saim, at::ScalarType dtype) : norm(saim.norm) {
  const at::NoGradGuard noGrad;
  const SaimFold fold(saim, at::kFloat);
  const auto done = [dtype](const at::Tensor& x) { return x.to(dtype).contiguous(); };
  norm.weight = done(norm.weight.detach());
  norm.bias = done(norm.bias.detach());
  stacked = done(at::cat({fold.scores.t(), fold.values.t()}, 1));
  values = stacked.narrow(1, stacked.size(0), stacked.size(0));
  c = done(fold.scoreBias);
  b = done(fold.bias);
}

void FoldedSaim::addTo(at::Tensor& attended) const {
  const auto [anomaly, difference] = ops::pairNorm(attended, norm.weight, norm.bias, norm.eps);
  const at::Tensor products = ops::frozenLinear(difference, stacked.t(), {});
  ops::pairMix(attended, {anomaly, difference, products, ops::frozenLinear(anomaly, values.t(), b), c});
}

FoldedAdapter::FoldedAdapter(const model::Unet& unet, const Adapter& adapter)
    : backgroundMode_(adapter.settings().background) {
  const at::NoGradGuard noGrad;
  for (const nn::AttentionLayer* layer : unet.attentionLayers()) {
    layers_.emplace(layer->name, fold(*layer, adapter.layer(layer->name), adapter.settings().loraScale, unet.dtype()));
  }
}

}  // namespace dan::dual
