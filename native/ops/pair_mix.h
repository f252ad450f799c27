// The last pass of a folded SAIM (DESIGN section 5): both scores, their sigmoids, the mix of the values, the residual.
#pragma once

#include <ATen/ATen.h>

namespace dan::ops {

// What a folded SAIM has computed of T pairs of tokens, in attended's precision.
struct PairProducts {
  at::Tensor anomaly, difference;  // x_1 and d = x_0 - x_1, (T, C): pairNorm's
  at::Tensor products;             // (T, 2 C): A d and B d
  at::Tensor base;                 // (T, C): B x_1 + b
  at::Tensor scoreBias;            // (C): c
};

// attended: (2, T, C), changed in place: row i gains base + sigmoid(x_i . (A d) + c . d) (B d). For sampling: without
// gradients.
void pairMix(at::Tensor& attended, const PairProducts& pair);
void pairMixPlain(at::Tensor& attended, const PairProducts& pair);

}  // namespace dan::ops
