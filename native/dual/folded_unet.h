// The dual UNet on a folded adapter: what DualUnet computes, without gradients and faster.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "dual/folded_adapter.h"
#include "dual/pair_model.h"

namespace dan::dual {

class FoldedUnet : public PairModel {
 public:
  // Both must outlive this object.
  FoldedUnet(const model::Unet& unet, const FoldedAdapter& adapter) : unet_(unet), adapter_(adapter) {}

  // preparePrompt, then predict.
  at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                     const BackgroundFeatures* background) const override;
  BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                        const at::Tensor& encoderHiddenStates) const override;

  // The keys and values of cross-attention, which are the same at every step.
  struct Prompt {
    at::Tensor states;                       // whose keys and values these are
    std::map<std::string, at::Tensor> keys;  // by layer, (2 * N, tokens, 2 C)
  };
  // Those of the last states of each shape (N * 2, tokens, D), in the same memory as long as this object is: a captured
  // graph reads them there.
  const Prompt& preparePrompt(const at::Tensor& encoderHiddenStates) const;
  // forward() on a prompt that was prepared for as many rows.
  at::Tensor predict(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const Prompt& prompt,
                     const BackgroundFeatures* background) const;

 private:
  // Rows are branch-major inside: (2, N), so that each branch's tokens are one block.
  at::Tensor attend(const nn::AttentionLayer& layer, const at::Tensor& hidden, const Prompt& prompt,
                    const BackgroundFeatures* background) const;

  const model::Unet& unet_;
  const FoldedAdapter& adapter_;
  mutable std::map<std::vector<int64_t>, Prompt> prompts_;  // by the states' shape
};

}  // namespace dan::dual
