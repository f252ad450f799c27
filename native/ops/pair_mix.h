// This is the last pass of a folded SAIM (DESIGN section 5). It computes both scores and their sigmoids, mixes the
// values and adds the residual.
#pragma once

#include <ATen/ATen.h>

namespace dan::ops {

// A folded SAIM has computed these tensors for T pairs of tokens, in the dtype of `attended`.
struct PairProducts {
  at::Tensor anomaly, difference;  // x_1 and d = x_0 - x_1 from pairNorm, each (T, C)
  at::Tensor products;             // (T, 2 C): A d and B d
  at::Tensor base;                 // (T, C): B x_1 + b
  at::Tensor scoreBias;            // (C): c
};

// attended: (2, T, C). It is changed in place: row i gains base + sigmoid(x_i . (A d) + c . d) (B d). It supports no
// gradients, so it serves sampling only.
void pairMix(at::Tensor& attended, const PairProducts& pair);
void pairMixPlain(at::Tensor& attended, const PairProducts& pair);

}  // namespace dan::ops
