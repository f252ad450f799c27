// SAIM, the self-attention interaction module (DualAnoDiff section 3.2): after every attention layer the two branches'
// outputs at the same token attend to each other.
#pragma once

#include "nn/layers.h"

namespace dan::dual {

struct Saim {
  nn::LayerNorm norm;  // eps 1e-6
  nn::Linear input, q, k, v, output;

  Saim(const nn::Weights& weights, int64_t width);
  // attended: (B, 2, L, C), both branches. Returns what is added to it, of the same shape.
  at::Tensor operator()(const at::Tensor& attended) const;
};

}  // namespace dan::dual
