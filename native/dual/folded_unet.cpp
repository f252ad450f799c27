#include "dual/folded_unet.h"

#include <ATen/core/grad_mode.h>

#include "ops/frozen.h"

namespace dan::dual {

namespace {

// x: (2 * N, L, in), branch-major; weight: (2, in, out); bias: (out) or undefined. Returns (2 * N, L, out).
at::Tensor grouped(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {}) {
  const at::Tensor tokens = x.reshape({kNumBranches, -1, x.size(-1)});
  return ops::groupedLinear(tokens, weight, bias).view({x.size(0), x.size(1), weight.size(2)});
}

// These convert between (N * 2, ...) pair-major and (2 * N, ...) branch-major.
at::Tensor toBranchMajor(const at::Tensor& x) { return unpackBranches(x).transpose(0, 1).flatten(0, 1); }
at::Tensor toPairMajor(const at::Tensor& x) { return x.unflatten(0, {kNumBranches, -1}).transpose(0, 1).flatten(0, 1); }

}  // namespace

at::Tensor FoldedUnet::attend(const nn::AttentionLayer& layer, const at::Tensor& hidden, const Prompt& prompt,
                              const BackgroundFeatures* background) const {
  const FoldedLayer& folded = adapter_.layer(layer.name);
  at::Tensor q, kv;
  if (!layer.isSelfAttention) {
    q = grouped(hidden, folded.q);
    kv = prompt.keys.at(layer.name);
  } else if (background == nullptr || !folded.background) {
    const at::Tensor all = grouped(hidden, folded.qkv);
    q = all.narrow(-1, 0, layer.width);
    kv = all.narrow(-1, layer.width, 2 * layer.width);
  } else {
    // Eq. 5: the mix gives only the keys and values of the global branch. Its queries and the anomaly branch stay as
    // they are.
    const auto branches = hidden.chunk(kNumBranches);
    const at::Tensor mixed =
        folded.background->withBackground(branches[kGlobal], background->at(layer.name), adapter_.backgroundMode());
    q = grouped(hidden, folded.q);
    kv = grouped(at::cat({mixed, branches[kAnomaly]}), folded.kv);
  }
  const auto keysAndValues = kv.chunk(2, -1);
  if (attentionMaps_ != nullptr) {
    const int64_t shown = attentionMaps_->pairs(), last = q.size(0) - shown;
    attentionMaps_->add(layer, q.narrow(0, last, shown), keysAndValues[0].narrow(0, last, shown));
  }
  const at::Tensor attended = nn::multiHeadAttention(q, keysAndValues[0], keysAndValues[1], layer.heads);
  at::Tensor result = grouped(attended, folded.out, folded.outBias);
  at::Tensor branches = result.view({kNumBranches, -1, layer.width});
  folded.saim.addTo(branches);
  return result;
}

at::Tensor FoldedUnet::forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                               const at::Tensor& encoderHiddenStates, const BackgroundFeatures* background) const {
  return predict(noisyLatents, timesteps, preparePrompt(encoderHiddenStates), background);
}

const FoldedUnet::Prompt& FoldedUnet::preparePrompt(const at::Tensor& encoderHiddenStates) const {
  const at::NoGradGuard noGrad;
  Prompt& prompt = prompts_[encoderHiddenStates.sizes().vec()];
  if (prompt.states.is_same(encoderHiddenStates)) return prompt;
  const at::Tensor context = toBranchMajor(encoderHiddenStates).to(unet_.device(), unet_.dtype());
  for (const nn::AttentionLayer* layer : unet_.attentionLayers()) {
    if (layer->isSelfAttention) continue;
    at::Tensor& kept = prompt.keys[layer->name];
    const at::Tensor keys = grouped(context, adapter_.layer(layer->name).kv);
    if (kept.defined()) {
      kept.copy_(keys);
    } else {
      kept = keys;
    }
  }
  prompt.states = encoderHiddenStates;
  return prompt;
}

at::Tensor FoldedUnet::predict(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const Prompt& prompt,
                               const BackgroundFeatures* background) const {
  const at::NoGradGuard noGrad;
  const at::Tensor isPrepared;  // The prompt's keys already contain the context.
  return toPairMajor(unet_.forward(
      toBranchMajor(noisyLatents), toBranchMajor(timesteps), isPrepared,
      [&](const nn::AttentionLayer& layer, const at::Tensor& hidden, const at::Tensor&) {
        return attend(layer, hidden, prompt, background);
      },
      inner_));
}

BackgroundFeatures FoldedUnet::backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                                  const at::Tensor& encoderHiddenStates) const {
  const at::NoGradGuard noGrad;
  BackgroundFeatures features;
  unet_.forward(noisyLatents, timesteps, encoderHiddenStates,
                [&](const nn::AttentionLayer& layer, const at::Tensor& hidden, const at::Tensor& context) {
                  const FoldedLayer& folded = adapter_.layer(layer.name);
                  if (folded.background) features[layer.name] = folded.background->ofBackground(hidden);
                  const auto project = [](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {}) {
                    return ops::frozenLinear(x, weight[kGlobal].t(), bias);
                  };
                  const at::Tensor q = project(hidden, folded.q);
                  const auto kv = project(layer.isSelfAttention ? hidden : context, folded.kv).chunk(2, -1);
                  const at::Tensor attended = nn::multiHeadAttention(q, kv[0], kv[1], layer.heads);
                  return project(attended, folded.out, folded.outBias);
                });
  return features;
}

}  // namespace dan::dual
