// The dual UNet on a folded adapter: what DualUnet computes, without gradients and faster.
#pragma once

#include "dual/folded_adapter.h"
#include "dual/pair_model.h"

namespace dan::dual {

class FoldedUnet : public PairModel {
 public:
  // Both must outlive this object.
  FoldedUnet(const model::Unet& unet, const FoldedAdapter& adapter) : unet_(unet), adapter_(adapter) {}

  // The keys and values of cross-attention are computed at the first call and used again while encoderHiddenStates is
  // the same tensor, as it is in a denoising loop.
  at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                     const BackgroundFeatures* background) const override;
  BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                        const at::Tensor& encoderHiddenStates) const override;

 private:
  // Rows are branch-major inside: (2, N), so that each branch's tokens are one block.
  at::Tensor attend(const nn::AttentionLayer& layer, const at::Tensor& hidden, const at::Tensor& context,
                    const BackgroundFeatures* background) const;

  const model::Unet& unet_;
  const FoldedAdapter& adapter_;
  mutable at::Tensor promptStates_;                       // whose keys and values these are
  mutable std::map<std::string, at::Tensor> promptKeys_;  // by layer, (2 * N, 77, 2 C)
};

}  // namespace dan::dual
