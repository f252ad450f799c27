// These are residual networks (He et al., arXiv 1512.03385; wide ones by Zagoruyko and Komodakis, arXiv 1605.07146)
// with the parameter names that torchvision and timm share.
#pragma once

#include <array>
#include <vector>

#include "model/backbone.h"
#include "nn/conv_norm.h"

namespace dan::model {

struct ResNetConfig {
  static constexpr size_t kStages = 4;
  std::array<int64_t, kStages> blocks;
  bool hasBottlenecks = false;  // A block has three convolutions (1x1, 3x3, 1x1) instead of two of 3x3.
  // The convolutions of the four stages have 1, 2, 4 and 8 times `width` channels. Inside bottlenecks they have
  // `widening` times as many.
  int64_t width = 64, widening = 1;
  int64_t stem = 64;  // channels of the first convolution

  // The width of torchvision's network is 64.
  static ResNetConfig resnet18(int64_t width = 64);
  static ResNetConfig resnet50();
  static ResNetConfig wideResnet50();

  int64_t channels(size_t stage) const;
};

class ResNet {
 public:
  ResNet(const nn::Weights& weights, const ResNetConfig& config);
  // Merges all norms into their convolutions. From then on the network serves inference alone.
  void fold();
  // x: (N, 3, H, W), normalised, sides of at least 32. Returns the outputs of the first `count` of the four stages, at
  // strides 4 to 32.
  std::vector<at::Tensor> stages(const at::Tensor& x, bool training = false,
                                 size_t count = ResNetConfig::kStages) const;

 private:
  struct Block {
    std::vector<nn::ConvNorm> convolutions;
    std::vector<nn::ConvNorm> shortcut;  // It has one element if the block changes the shape, else none.
  };
  at::Tensor through(const Block& block, const at::Tensor& x, bool training) const;

  nn::ConvNorm stem_;
  std::vector<std::vector<Block>> stages_;
};

// This ResNet ends in a linear layer that gives a logit for each class.
class ResNetClassifier {
 public:
  ResNetClassifier(const nn::Weights& weights, const ResNetConfig& config, int64_t classes);
  // x: (N, 3, H, W) in 0 .. 1, sides of at least 32. Returns logits (N, classes).
  at::Tensor forward(const at::Tensor& x, bool training = false) const;

 private:
  ResNet net_;
  nn::Linear classifier_;
};

class ResNetBackbone : public Backbone {
 public:
  ResNetBackbone(const nn::Weights& weights, const ResNetConfig& config);
  std::vector<at::Tensor> firstStages(const at::Tensor& images, size_t count) const override {
    return net_.stages(images, /*training=*/false, count);
  }

 private:
  ResNet net_;
};

}  // namespace dan::model
