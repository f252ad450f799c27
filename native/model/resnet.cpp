#include "model/resnet.h"

#include <string>

#include "model/imagenet.h"

namespace dan::model {

namespace {

// A bottleneck's last convolution has this many times the channels of its stage.
constexpr int64_t kBottleneckExpansion = 4;

std::vector<int64_t> channelsOf(const ResNetConfig& config) {
  std::vector<int64_t> channels;
  for (size_t stage = 0; stage < ResNetConfig::kStages; ++stage) channels.push_back(config.channels(stage));
  return channels;
}

}  // namespace

ResNetConfig ResNetConfig::resnet18(int64_t width) {
  return {{2, 2, 2, 2}, /*hasBottlenecks=*/false, width, /*widening=*/1, /*stem=*/width};
}

ResNetConfig ResNetConfig::resnet50() { return {{3, 4, 6, 3}, /*hasBottlenecks=*/true}; }

ResNetConfig ResNetConfig::wideResnet50() {
  return {{3, 4, 6, 3}, /*hasBottlenecks=*/true, /*width=*/64, /*widening=*/2};
}

int64_t ResNetConfig::channels(size_t stage) const {
  return (width << stage) * (hasBottlenecks ? kBottleneckExpansion : 1);
}

ResNet::ResNet(const nn::Weights& weights, const ResNetConfig& config)
    : stem_(weights.scope("conv1"), weights.scope("bn1"), 3, config.stem, 7, 2) {
  int64_t in = config.stem;
  for (size_t stage = 0; stage < ResNetConfig::kStages; ++stage) {
    const int64_t inner = (config.width << stage) * config.widening, out = config.channels(stage);
    std::vector<Block>& blocks = stages_.emplace_back();
    for (int64_t i = 0; i < config.blocks[stage]; ++i) {
      const nn::Weights block = weights.scope("layer" + std::to_string(stage + 1)).scope(std::to_string(i));
      const auto convNorm = [&](int64_t number, int64_t from, int64_t to, int64_t size, int64_t stride) {
        const std::string suffix = std::to_string(number);
        return nn::ConvNorm(block.scope("conv" + suffix), block.scope("bn" + suffix), from, to, size, stride);
      };
      const int64_t stride = stage > 0 && i == 0 ? 2 : 1;
      Block& made = blocks.emplace_back();
      if (config.hasBottlenecks) {
        made.convolutions = {convNorm(1, in, inner, 1, 1), convNorm(2, inner, inner, 3, stride),
                             convNorm(3, inner, out, 1, 1)};
      } else {
        made.convolutions = {convNorm(1, in, out, 3, stride), convNorm(2, out, out, 3, 1)};
      }
      if (in != out) {
        const nn::Weights shortcut = block.scope("downsample");
        made.shortcut.emplace_back(shortcut.scope("0"), shortcut.scope("1"), in, out, 1, stride);
      }
      in = out;
    }
  }
}

void ResNet::fold() {
  stem_.fold();
  for (std::vector<Block>& stage : stages_) {
    for (Block& block : stage) {
      for (nn::ConvNorm& convolution : block.convolutions) convolution.fold();
      for (nn::ConvNorm& convolution : block.shortcut) convolution.fold();
    }
  }
}

at::Tensor ResNet::through(const Block& block, const at::Tensor& x, bool training) const {
  at::Tensor h = x;
  for (size_t i = 0; i < block.convolutions.size(); ++i) {
    // In place, since nothing else reads the output of a convolution with its norm, not even a gradient.
    h = block.convolutions[i](i == 0 ? h : at::relu_(h), training);
  }
  at::Tensor sum = h + (block.shortcut.empty() ? x : block.shortcut[0](x, training));
  return at::relu_(sum);
}

std::vector<at::Tensor> ResNet::stages(const at::Tensor& x, bool training, size_t count) const {
  at::Tensor stem = stem_(x, training);
  at::Tensor h = at::max_pool2d(at::relu_(stem), 3, 2, 1);
  std::vector<at::Tensor> outputs;
  for (const std::vector<Block>& stage : stages_) {
    if (outputs.size() == count) break;
    for (const Block& block : stage) h = through(block, h, training);
    outputs.push_back(h);
  }
  return outputs;
}

ResNetClassifier::ResNetClassifier(const nn::Weights& weights, const ResNetConfig& config, int64_t classes)
    : net_(weights, config), classifier_(weights.scope("fc"), config.channels(ResNetConfig::kStages - 1), classes) {}

at::Tensor ResNetClassifier::forward(const at::Tensor& x, bool training) const {
  return classifier_(net_.stages(normalizeForImagenet(x), training).back().mean({2, 3}));
}

ResNetBackbone::ResNetBackbone(const nn::Weights& weights, const ResNetConfig& config)
    : Backbone(channelsOf(config)), net_(weights, config) {
  net_.fold();
}

}  // namespace dan::model
