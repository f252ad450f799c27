#include "dual/dual_unet.h"

namespace dan::dual {

at::Tensor DualUnet::attend(const nn::AttentionLayer& layer, const at::Tensor& hiddenStates, const at::Tensor& context,
                            const BackgroundFeatures* background) const {
  const AdapterLayer& adapter = adapter_.layer(layer.name);
  const double scale = adapter_.settings().loraScale;
  const at::Tensor hidden = unpackBranches(hiddenStates);  // (N, 2, L, C)
  at::Tensor source = context.defined() ? unpackBranches(context) : hidden;
  if (background != nullptr && adapter.background) {
    // Eq. 5: keys and values of the global branch come from the mix; its queries and the anomaly branch do not.
    const at::Tensor mixed =
        (*adapter.background)(hidden.select(1, kGlobal), background->at(layer.name), adapter_.settings().background);
    source = at::stack({mixed, hidden.select(1, kAnomaly)}, 1);
  }
  const auto project = [scale](const nn::Linear& linear, const BranchLora& lora, const at::Tensor& x) {
    return (linear(x) + scale * lora(x)).flatten(0, 1);
  };
  const at::Tensor q = project(layer.toQ, adapter.q, hidden), k = project(layer.toK, adapter.k, source);
  if (attentionMaps_ != nullptr) {
    const auto shown = [&](const at::Tensor& x) {
      const at::Tensor anomaly = unpackBranches(x).select(1, kAnomaly);
      return anomaly.narrow(0, anomaly.size(0) - attentionMaps_->pairs(), attentionMaps_->pairs());
    };
    attentionMaps_->add(layer, shown(q), shown(k));
  }
  const at::Tensor attended = nn::multiHeadAttention(q, k, project(layer.toV, adapter.v, source), layer.heads);
  return project(layer.toOut, adapter.out, unpackBranches(attended));
}

at::Tensor DualUnet::interact(const nn::AttentionLayer& layer, const at::Tensor& attended) const {
  return adapter_.layer(layer.name).saim(unpackBranches(attended)).flatten(0, 1);
}

at::Tensor DualUnet::forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                             const at::Tensor& encoderHiddenStates, const BackgroundFeatures* background) const {
  return unet_.forward(
      noisyLatents, timesteps, encoderHiddenStates,
      [&](const nn::AttentionLayer& layer, const at::Tensor& hidden, const at::Tensor& context) {
        const at::Tensor attended = attend(layer, hidden, context, background);
        return attended + interact(layer, attended);
      },
      inner_);
}

BackgroundFeatures DualUnet::backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                                const at::Tensor& encoderHiddenStates) const {
  BackgroundFeatures features;
  const double scale = adapter_.settings().loraScale;
  unet_.forward(noisyLatents, timesteps, encoderHiddenStates,
                [&](const nn::AttentionLayer& layer, const at::Tensor& hidden, const at::Tensor& context) {
                  const AdapterLayer& adapter = adapter_.layer(layer.name);
                  if (layer.isSelfAttention) features[layer.name] = hidden;
                  const at::Tensor& source = context.defined() ? context : hidden;
                  const auto project = [&](const nn::Linear& linear, const BranchLora& lora, const at::Tensor& x) {
                    return linear(x) + scale * lora(x, kGlobal);
                  };
                  return project(layer.toOut, adapter.out,
                                 nn::multiHeadAttention(project(layer.toQ, adapter.q, hidden),
                                                        project(layer.toK, adapter.k, source),
                                                        project(layer.toV, adapter.v, source), layer.heads));
                });
  return features;
}

}  // namespace dan::dual
