// Mobile networks are chains of inverted residual blocks (Sandler et al., arXiv 1801.04381): a 1x1 convolution widens,
// a depthwise one filters, and a linear 1x1 convolution narrows again. Every other convolution ends in ReLU6.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/backbone.h"
#include "nn/conv_norm.h"

namespace dan::model {

struct InvertedResidualStage {
  int64_t kernel, stride, expansion, channels, blocks;
};

// These are the names of a convolution and of its norm.
struct ConvNormNames {
  std::string conv, norm;
};

// `expand` is not used in blocks that do not widen.
struct InvertedResidualNames {
  ConvNormNames expand, depthwise, project;
};

struct InvertedResidualConfig {
  int64_t stemChannels;
  std::vector<InvertedResidualStage> stages;
  ConvNormNames stem;
  // Returns the names of a block, by the index of its stage, its index in the stage, and its index in the network.
  std::function<InvertedResidualNames(size_t stage, int64_t block, int64_t index)> names;
  double normEps = 1e-5;
  // TensorFlow pads only as much as the last stride needs, and more at the bottom and right than at the top and left.
  bool padsAsTensorFlow = false;
  // The network expects pixels in -1 .. 1 instead of those normalised for ImageNet.
  bool takesSignedPixels = false;
};

class InvertedResidualBackbone : public Backbone {
 public:
  InvertedResidualBackbone(const nn::Weights& weights, const InvertedResidualConfig& config);
  // Returns the last block's output at each stride.
  std::vector<at::Tensor> firstStages(const at::Tensor& images, size_t count) const override;

 private:
  struct Block {
    std::optional<nn::ConvNorm> expand;
    nn::ConvNorm depthwise, project;
    bool isResidual, isLastOfStride;
  };
  at::Tensor convolve(const nn::ConvNorm& layer, const at::Tensor& x) const;

  bool padsAsTensorFlow_, takesSignedPixels_;
  nn::ConvNorm stem_;
  std::vector<Block> blocks_;
};

// Takes torchvision's or timm's names.
InvertedResidualConfig mobilenetV2(const nn::Weights& weights);

// Takes timm's efficientnet_lite0, or the weights that Google trained with TensorFlow, under the names of
// EfficientNet-PyTorch. These two differ in their padding and in the pixels that they expect.
InvertedResidualConfig efficientnetLite0(const nn::Weights& weights);

// These names are timm's for all networks of such blocks.
InvertedResidualNames timmBlockNames(const InvertedResidualStage& stage, size_t stageIndex, int64_t block);

}  // namespace dan::model
