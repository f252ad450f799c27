// SAIM is the self-attention interaction module (DualAnoDiff section 3.2). After every attention layer, the outputs of
// the two branches at the same token attend to each other.
#pragma once

#include "nn/layers.h"

namespace dan::dual {

struct Saim {
  nn::LayerNorm norm;  // eps 1e-6
  nn::Linear input, q, k, v, output;

  Saim(const nn::Weights& weights, int64_t width);
  // attended: (B, 2, L, C), both branches. Returns the term to add to it, of the same shape. Computes it by products or
  // by folding, whichever is less work for this number of tokens.
  at::Tensor operator()(const at::Tensor& attended) const;

  // Both forms take layer-normed tokens, (B, 2, L, C).
  at::Tensor byProducts(const at::Tensor& tokens) const;
  at::Tensor byFolding(const at::Tensor& tokens) const;
};

// This struct holds the product of SAIM's linear layers. Attention over two tokens is a sigmoid of a difference: with
// layer-normed tokens x_0, x_1 and d = x_0 - x_1, the weight that token i gives to branch 0 is
// p_i = sigmoid(x_i . (A d) + c . d), and the output is B x_1 + p_i (B d) + b.
struct SaimFold {
  at::Tensor scores;        // A, (C, C)
  at::Tensor scoreBias;     // c, (C)
  at::Tensor values, bias;  // B, (C, C); b, (C)
  // The fold is computed in `precision`; gradients flow to the module's parameters.
  SaimFold(const Saim& saim, at::ScalarType precision);
};

}  // namespace dan::dual
