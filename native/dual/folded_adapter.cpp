#include "dual/folded_adapter.h"

#include <ATen/core/grad_mode.h>

#include "ops/frozen.h"
#include "ops/pair_mix.h"
#include "ops/pair_norm.h"

namespace dan::dual {

namespace {

at::Tensor asFloat(const at::Tensor& x) { return x.detach().to(at::kFloat); }

struct Projection {
  const nn::Linear& linear;
  const BranchLora& lora;
};

// Returns (2, in, out): for each branch the projections of the same input with their LoRA, concatenated. The memory
// layout is that of linear layers, (2, out, in).
at::Tensor merged(std::initializer_list<Projection> projections, double scale, at::ScalarType dtype) {
  int64_t columns = 0;
  for (const Projection& one : projections) columns += one.linear.weight.size(0);
  const at::Tensor& first = projections.begin()->linear.weight;
  const at::Tensor all = at::empty({kNumBranches, columns, first.size(1)}, first.options().dtype(at::kFloat));
  for (int64_t branch = 0; branch < kNumBranches; ++branch) {
    int64_t from = 0;
    for (const auto& [linear, lora] : projections) {
      at::Tensor into = all[branch].narrow(0, from, linear.weight.size(0));
      into.copy_(linear.weight);
      into.addmm_(asFloat(lora.up[branch]), asFloat(lora.down[branch]), 1, scale);
      from += linear.weight.size(0);
    }
  }
  return all.to(dtype).transpose(1, 2);
}

FoldedLayer fold(const nn::AttentionLayer& layer, const AdapterLayer& adapter, double scale, at::ScalarType dtype) {
  const Projection q{layer.toQ, adapter.q}, k{layer.toK, adapter.k}, v{layer.toV, adapter.v};
  FoldedLayer folded{{},
                     {},
                     {},
                     merged({{layer.toOut, adapter.out}}, scale, dtype),
                     layer.toOut.bias.detach().to(dtype),
                     FoldedSaim(adapter.saim, dtype),
                     adapter.background};
  if (layer.isSelfAttention) {
    folded.qkv = merged({q, k, v}, scale, dtype);
    folded.q = folded.qkv.narrow(2, 0, layer.width);
    folded.kv = folded.qkv.narrow(2, layer.width, 2 * layer.width);
  } else {
    folded.q = merged({q}, scale, dtype);
    folded.kv = merged({k, v}, scale, dtype);
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
  stacked = done(at::cat({fold.scores, fold.values}));
  values = stacked.narrow(0, stacked.size(1), stacked.size(1));
  c = done(fold.scoreBias);
  b = done(fold.bias);
}

void FoldedSaim::addTo(at::Tensor& attended) const {
  const auto [anomaly, difference] = ops::pairNorm(attended, norm.weight, norm.bias, norm.eps);
  const at::Tensor products = ops::frozenLinear(difference, stacked, {});
  ops::pairMix(attended, {anomaly, difference, products, ops::frozenLinear(anomaly, values, b), c});
}

FoldedAdapter::FoldedAdapter(const model::Unet& unet, const Adapter& adapter,
                             const std::function<void(const std::string&)>& onFolded)
    : backgroundMode_(adapter.settings().background) {
  const at::NoGradGuard noGrad;
  for (const nn::AttentionLayer* layer : unet.attentionLayers()) {
    layers_.emplace(layer->name, fold(*layer, adapter.layer(layer->name), adapter.settings().loraScale, unet.dtype()));
    if (onFolded) onFolded(layer->name);
  }
}

}  // namespace dan::dual
