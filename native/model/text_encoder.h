// The CLIP text encoder turns token ids into the hidden states that condition the UNet.
#pragma once

#include <functional>
#include <vector>

#include "model/config.h"
#include "nn/layers.h"

namespace dan::model {

// Adds something to a projection of a self-attention layer. `projection` is "q", "k", "v" or "out". Returns the sum.
using ProjectionHook =
    std::function<at::Tensor(int64_t layer, const char* projection, const at::Tensor& input, const at::Tensor& output)>;

class TextEncoder {
 public:
  TextEncoder(const nn::Weights& weights, const TextConfig& config);
  const TextConfig& config() const { return config_; }

  // inputIds: (N, L) int64, L at most maxLength. Returns the last hidden state after the final layer norm, (N, L,
  // hiddenSize). Attention is causal and has no padding mask, as in Stable Diffusion.
  at::Tensor forward(const at::Tensor& inputIds, const ProjectionHook& hook = {}) const;

 private:
  struct Layer {
    nn::LayerNorm norm1, norm2;
    nn::Linear q, k, v, out, fc1, fc2;
  };
  at::Tensor attend(int64_t index, const at::Tensor& x, const ProjectionHook& hook) const;

  TextConfig config_;
  at::ScalarType dtype_;
  at::Tensor tokenEmbedding_, positionEmbedding_;  // (vocabSize, C), (maxLength, C)
  std::vector<Layer> layers_;
  nn::LayerNorm finalNorm_;
};

// Files of transformers 5 omit the leading "text_model.", which the encoder expects.
TensorMap withCurrentTextNames(TensorMap tensors);

}  // namespace dan::model
