// This is the two-class segmentation U-Net of the published evaluation: DRAEM's discriminative sub-network (arXiv
// 2108.07610).
#pragma once

#include <vector>

#include "model/unet_blocks.h"

namespace dan::model {

class LocalizationNet {
 public:
  // `channels` are those of the input. The other widths are multiples of `baseChannels`; 64 is the published width.
  LocalizationNet(const nn::Weights& weights, int64_t baseChannels, int64_t channels = 3);
  // x: (N, channels, H, W), sides multiples of 32. Returns logits (N, 2, H, W).
  at::Tensor forward(const at::Tensor& x, bool training = false) const;

 private:
  std::vector<DoubleConv> encoder_, decoder_;
  std::vector<UpConv> up_;
  nn::Conv2d out_;
};

}  // namespace dan::model
