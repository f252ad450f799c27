// This is one attention layer of the UNet. An AttentionFunction can replace how it is computed.
#pragma once

#include <functional>
#include <string>

#include "nn/layers.h"

namespace dan::nn {

// This is multi-head attention with scale 1/sqrt(width / heads). q: (B, Lq, C); k, v: (B, Lk, C); returns (B, Lq, C).
at::Tensor multiHeadAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                              bool causal = false);

struct AttentionLayer {
  std::string name;  // e.g. "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
  int64_t width = 0, contextWidth = 0, heads = 1;
  bool isSelfAttention = true;
  Linear toQ, toK, toV, toOut;

  AttentionLayer(const Weights& weights, std::string name, int64_t width, int64_t contextWidth, int64_t heads,
                 bool isSelfAttention);
};

// Computes one attention layer, including the output projection but not the residual. `context` is undefined for
// self-attention. hiddenStates: (N, L, C); context: (N, 77, D); returns (N, L, C).
using AttentionFunction =
    std::function<at::Tensor(const AttentionLayer&, const at::Tensor& hiddenStates, const at::Tensor& context)>;

// Computes the layer in Stable Diffusion's own way.
at::Tensor plainAttention(const AttentionLayer& layer, const at::Tensor& hiddenStates, const at::Tensor& context);

}  // namespace dan::nn
