#include "dual/dual_unet.h"

#include "nn/gradient_checkpoint.h"

namespace dan::dual {

at::Tensor DualUnet::attend(const nn::AttentionLayer& layer, const at::Tensor& hiddenStates, const at::Tensor& context,
                            const at::Tensor& background) const {
  const AdapterLayer& adapter = adapter_.layer(layer.name);
  const double scale = adapter_.settings().loraScale;
  const at::Tensor hidden = unpackBranches(hiddenStates);  // (N, 2, L, C)
  at::Tensor source = context.defined() ? unpackBranches(context) : hidden;
  if (background.defined()) {
    // Eq. 5: the mix gives only the keys and values of the global branch. Its queries and the anomaly branch stay as
    // they are.
    const at::Tensor mixed =
        (*adapter.background)(hidden.select(1, kGlobal), background, adapter_.settings().background);
    source = at::stack({mixed, hidden.select(1, kAnomaly)}, 1);
  }
  const auto project = [scale](const nn::Linear& linear, const BranchLora& lora, const at::Tensor& x) {
    return ops::loraLinear(x, linear.weight, linear.bias, lora, scale).flatten(0, 1);
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

// With gradient checkpointing the lambdas run again in the backward pass, after this call, so they capture copies.
at::Tensor DualUnet::forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                             const at::Tensor& encoderHiddenStates, const BackgroundFeatures* background) const {
  return unet_.forward(
      noisyLatents, timesteps, encoderHiddenStates,
      [&](const nn::AttentionLayer& layer, const at::Tensor& hidden, const at::Tensor& context) {
        const AdapterLayer& adapter = adapter_.layer(layer.name);
        const bool mixes = background != nullptr && adapter.background;
        const auto piece = [self = *this, &layer](const std::vector<at::Tensor>& in) {
          const at::Tensor attended = self.attend(layer, in[0], in[1], in[2]);
          return attended + self.interact(layer, attended);
        };
        return nn::checkpointed(
            piece, {hidden, context, mixes ? background->at(layer.name) : at::Tensor(), adapter.out.down[kGlobal]});
      },
      inner_);
}

BackgroundFeatures DualUnet::backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                                const at::Tensor& encoderHiddenStates) const {
  BackgroundFeatures features;
  unet_.forward(noisyLatents, timesteps, encoderHiddenStates,
                [&](const nn::AttentionLayer& layer, const at::Tensor& hidden, const at::Tensor& context) {
                  const AdapterLayer& adapter = adapter_.layer(layer.name);
                  if (layer.isSelfAttention) features[layer.name] = hidden;
                  const auto piece = [&layer, &adapter, scale = adapter_.settings().loraScale](const auto& in) {
                    const at::Tensor& source = in[1].defined() ? in[1] : in[0];
                    const auto project = [&](const nn::Linear& linear, const BranchLora& lora, const at::Tensor& x) {
                      return linear(x) + scale * lora(x, kGlobal);
                    };
                    return project(layer.toOut, adapter.out,
                                   nn::multiHeadAttention(project(layer.toQ, adapter.q, in[0]),
                                                          project(layer.toK, adapter.k, source),
                                                          project(layer.toV, adapter.v, source), layer.heads));
                  };
                  return nn::checkpointed(piece, {hidden, context, adapter.out.down[kGlobal]});
                });
  return features;
}

}  // namespace dan::dual
