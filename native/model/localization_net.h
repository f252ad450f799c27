// This is the two-class segmentation U-Net of the published evaluation: DRAEM's discriminative sub-network (arXiv
// 2108.07610).
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

class LocalizationNet {
 public:
  // The first convolution of the weights determines the widths.
  LocalizationNet(const nn::Weights& weights, int64_t baseChannels, int64_t classes = 2);
  // x: (N, 3, H, W), sides multiples of 32. Returns logits (N, classes, H, W).
  at::Tensor forward(const at::Tensor& x, bool training = false) const;

 private:
  struct ConvNorm {
    nn::Conv2d conv;
    nn::BatchNorm2d norm;
    at::Tensor operator()(const at::Tensor& x, bool training) const;
  };
  using Block = std::vector<ConvNorm>;
  static ConvNorm convNorm(const nn::Weights& block, int64_t convIndex, int64_t in, int64_t out);
  static Block doubleConv(const nn::Weights& block, int64_t in, int64_t out);

  std::vector<Block> encoder_, decoder_;
  std::vector<ConvNorm> up_;
  nn::Conv2d out_;
};

}  // namespace dan::model
