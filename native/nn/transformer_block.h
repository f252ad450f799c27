// The UNet's transformer consists of a group norm, a projection, blocks of self-attention, cross-attention and
// feed-forward layers, a second projection, and a residual connection.
#pragma once

#include <optional>
#include <vector>

#include "nn/attention.h"

namespace dan::nn {

class TransformerBlock {
 public:
  TransformerBlock(const Weights& weights, const std::string& name, int64_t width, int64_t contextWidth, int64_t heads);
  // tokens: (N, L, C); context: (N, 77, D).
  at::Tensor operator()(at::Tensor tokens, const at::Tensor& context, const AttentionFunction& attention) const;
  void collectLayers(std::vector<const AttentionLayer*>& layers) const;

 private:
  LayerNorm norm1_, norm2_, norm3_;
  AttentionLayer selfAttention_, crossAttention_;
  Linear feedForwardIn_, feedForwardOut_;
};

class Transformer2d {
 public:
  Transformer2d(const Weights& weights, const std::string& name, int64_t channels, int64_t contextWidth, int64_t heads,
                int64_t depth, int64_t groups, bool linearProjection);
  // x: (N, C, h, w); context: (N, 77, D). Returns (N, C, h, w).
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context, const AttentionFunction& attention) const;
  void collectLayers(std::vector<const AttentionLayer*>& layers) const;

 private:
  GroupNorm norm_;
  Linear projIn_, projOut_;  // a 1x1 convolution of tokens is a linear layer
  std::vector<TransformerBlock> blocks_;
};

}  // namespace dan::nn
