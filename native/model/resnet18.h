// This is ResNet-18 (He et al., arXiv 1512.03385) with torchvision's parameter names.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

class ResNet18 {
 public:
  // The four stages have 1, 2, 4 and 8 times `baseChannels` channels. torchvision's network has 64.
  ResNet18(const nn::Weights& weights, int64_t baseChannels, int64_t classes);
  // x: (N, 3, H, W) in 0 .. 1, sides of at least 32. Returns logits (N, classes).
  at::Tensor forward(const at::Tensor& x, bool training = false) const;

 private:
  // This is a convolution without bias, followed by batch norm.
  struct ConvNorm {
    at::Tensor kernel;
    nn::BatchNorm2d norm;
    int64_t stride = 1;
    at::Tensor operator()(const at::Tensor& x, bool training) const;
  };
  struct Block {
    ConvNorm first, second;
    std::vector<ConvNorm> shortcut;  // It has one element if the block changes the shape, else none.
  };
  static ConvNorm convNorm(const nn::Weights& conv, const nn::Weights& norm, int64_t in, int64_t out, int64_t kernel,
                           int64_t stride);

  ConvNorm stem_;
  std::vector<Block> blocks_;
  nn::Linear classifier_;
};

}  // namespace dan::model
