// FoldedUnet computes the same as DualUnet with a folded adapter: without gradients and faster.
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

  // Calls preparePrompt(), then predict().
  at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                     const BackgroundFeatures* background) const override;
  BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                        const at::Tensor& encoderHiddenStates) const override;

  // The keys and values of cross-attention are the same at every step.
  struct Prompt {
    at::Tensor states;                       // The keys and values belong to these states.
    std::map<std::string, at::Tensor> keys;  // by layer, (2 * N, tokens, 2 C)
  };
  // Returns the keys and values for the given states, (N * 2, tokens, D). There is one entry per shape, and its memory
  // stays the same as long as this object lives, because a captured graph reads it there.
  const Prompt& preparePrompt(const at::Tensor& encoderHiddenStates) const;
  // Does the work of forward() on a prompt that was prepared for the same number of rows.
  at::Tensor predict(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const Prompt& prompt,
                     const BackgroundFeatures* background) const;

 private:
  // The rows are branch-major inside, (2, N), so that each branch's tokens form one block.
  at::Tensor attend(const nn::AttentionLayer& layer, const at::Tensor& hidden, const Prompt& prompt,
                    const BackgroundFeatures* background) const;

  const model::Unet& unet_;
  const FoldedAdapter& adapter_;
  mutable std::map<std::vector<int64_t>, Prompt> prompts_;  // by the shape of the states
};

}  // namespace dan::dual
