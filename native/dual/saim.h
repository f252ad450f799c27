// SAIM, the self-attention interaction module (DualAnoDiff section 3.2): after every attention layer the two branches'
// outputs at the same token attend to each other.
#pragma once

#include "nn/layers.h"

namespace dan::dual {

struct Saim {
  nn::LayerNorm norm;  // eps 1e-6
  nn::Linear input, q, k, v, output;

  Saim(const nn::Weights& weights, int64_t width);
  // attended: (B, 2, L, C), both branches. Returns what is added to it, of the same shape. By products or by folding,
  // whichever is less work for so many tokens.
  at::Tensor operator()(const at::Tensor& attended) const;

  // The two forms, of layer-normed tokens (B, 2, L, C).
  at::Tensor byProducts(const at::Tensor& tokens) const;
  at::Tensor byFolding(const at::Tensor& tokens) const;
};

// SAIM's linear layers multiplied out (DESIGN section 5). Attention over two tokens is a sigmoid of a difference: with
// layer-normed tokens x_0, x_1 and d = x_0 - x_1, the weight that token i gives to branch 0 is
// p_i = sigmoid(x_i . (A d) + c . d), and the output is B x_1 + p_i (B d) + b.
struct SaimFold {
  at::Tensor scores;        // A, (C, C)
  at::Tensor scoreBias;     // c, (C)
  at::Tensor values, bias;  // B, (C, C); b, (C)
  // Computed in `precision`; gradients flow to the module's parameters.
  SaimFold(const Saim& saim, at::ScalarType precision);
};

}  // namespace dan::dual
