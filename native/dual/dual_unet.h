// DualUnet runs the frozen UNet on pairs, with per-branch LoRA and SAIM in every attention layer. Both branches (and
// both halves of classifier-free guidance) form one batch.
#pragma once

#include "dual/adapter.h"
#include "dual/pair_model.h"

namespace dan::dual {

class DualUnet : public PairModel {
 public:
  // Both must outlive this object.
  DualUnet(const model::Unet& unet, const Adapter& adapter) : unet_(unet), adapter_(adapter) {}

  at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                     const BackgroundFeatures* background = nullptr) const override;
  // Gradients flow through it.
  BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                        const at::Tensor& encoderHiddenStates) const override;

  // Computes the attention of one layer with per-branch LoRA, before SAIM. hiddenStates: (N * 2, L, C); background: the
  // features of this layer, (N, L, C), or undefined.
  at::Tensor attend(const nn::AttentionLayer& layer, const at::Tensor& hiddenStates, const at::Tensor& context,
                    const at::Tensor& background) const;
  // Returns the term that SAIM adds to the layer's output, (N * 2, L, C).
  at::Tensor interact(const nn::AttentionLayer& layer, const at::Tensor& attended) const;

 private:
  const model::Unet& unet_;
  const Adapter& adapter_;
};

}  // namespace dan::dual
