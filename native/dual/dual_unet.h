// The frozen UNet run on pairs: per-branch LoRA and SAIM in every attention layer, both branches (and both halves of
// classifier-free guidance) in one batch.
#pragma once

#include "dual/adapter.h"

namespace dan::dual {

class DualUnet {
 public:
  // Both must outlive this object.
  DualUnet(const model::Unet& unet, const Adapter& adapter) : unet_(unet), adapter_(adapter) {}

  // noisyLatents: (N * 2, 4, h, w); timesteps: (N * 2); encoderHiddenStates: (N * 2, 77, D); rows as branch.h says.
  // `background`, where given, holds N rows. Returns the prediction, (N * 2, 4, h, w).
  at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                     const BackgroundFeatures* background = nullptr) const;

  // The background's pass: the global branch's LoRA, no SAIM. noisyLatents: (N, 4, h, w); the global prompt's
  // encoderHiddenStates: (N, 77, D). Gradients flow through it.
  BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                        const at::Tensor& encoderHiddenStates) const;

  // One layer of the pair: attention with per-branch LoRA, before SAIM. hiddenStates: (N * 2, L, C).
  at::Tensor attend(const nn::AttentionLayer& layer, const at::Tensor& hiddenStates, const at::Tensor& context,
                    const BackgroundFeatures* background) const;
  // What SAIM adds to the layer's output, (N * 2, L, C).
  at::Tensor interact(const nn::AttentionLayer& layer, const at::Tensor& attended) const;

 private:
  const model::Unet& unet_;
  const Adapter& adapter_;
};

}  // namespace dan::dual
