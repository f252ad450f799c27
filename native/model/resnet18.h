// ResNet-18 (He et al., arXiv 1512.03385), with torchvision's parameter names.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

class ResNet18 {
 public:
  // Four stages of 1, 2, 4 and 8 times `baseChannels`; torchvision's is 64.
  ResNet18(const nn::Weights& weights, int64_t baseChannels, int64_t classes);
  // x: (N, 3, H, W) in 0 .. 1, any size from 32. Returns logits (N, classes).
  at::Tensor forward(const at::Tensor& x, bool training = false) const;

 private:
  // A convolution without bias, normalised.
  struct ConvNorm {
    at::Tensor kernel;
    nn::BatchNorm2d norm;
    int64_t stride = 1;
    at::Tensor operator()(const at::Tensor& x, bool training) const;
  };
  struct Block {
    ConvNorm first, second;
    std::vector<ConvNorm> shortcut;  // one where the block changes the shape, else none
  };
  static ConvNorm convNorm(const nn::Weights& conv, const nn::Weights& norm, int64_t in, int64_t out, int64_t kernel,
                           int64_t stride);

  ConvNorm stem_;
  std::vector<Block> blocks_;
  nn::Linear classifier_;
};

}  // namespace dan::model
