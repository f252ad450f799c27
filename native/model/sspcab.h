// SSPCAB, the self-supervised predictive convolutional attention block (arXiv 2111.09099): it predicts each feature
// from features near it, without the feature itself.
#pragma once

#include "nn/layers.h"

namespace dan::model {

class Sspcab {
 public:
  // `channels` must be at least 8: the attention reduces them to an eighth.
  Sspcab(const nn::Weights& weights, int64_t channels);
  // x: (N, channels, H, W). Returns the prediction of x, of the same shape. Its mean squared error is the block's own
  // training loss.
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  // One for each corner of the window: upper left, upper right, lower left, lower right.
  nn::Conv2d corners_[4];
  nn::Linear squeeze_, excite_;
};

}  // namespace dan::model
