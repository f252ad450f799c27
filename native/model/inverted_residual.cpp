#include "model/inverted_residual.h"

#include <algorithm>

#include "model/imagenet.h"

namespace dan::model {

namespace {

constexpr size_t kFirstOutput = 1;  // The stage before it has stride 2.

// Each output is that of the last stage before the next stride, as its stage's index.
std::vector<size_t> outputStages(const InvertedResidualConfig& config) {
  std::vector<size_t> outputs;
  for (size_t i = kFirstOutput; i < config.stages.size(); ++i) {
    if (i + 1 == config.stages.size() || config.stages[i + 1].stride > 1) outputs.push_back(i);
  }
  return outputs;
}

std::vector<int64_t> outputChannels(const InvertedResidualConfig& config) {
  std::vector<int64_t> channels;
  for (const size_t stage : outputStages(config)) channels.push_back(config.stages[stage].channels);
  return channels;
}

nn::ConvNorm foldedLayer(const nn::Weights& weights, const ConvNormNames& names, int64_t in, int64_t out, int64_t size,
                         int64_t stride, int64_t groups, double eps) {
  nn::ConvNorm layer(weights.scope(names.conv), weights.scope(names.norm), in, out, size, stride, groups, eps);
  layer.fold();
  return layer;
}

}  // namespace

InvertedResidualNames timmBlockNames(const InvertedResidualStage& stage, size_t stageIndex, int64_t block) {
  const std::string prefix = "blocks." + std::to_string(stageIndex) + "." + std::to_string(block) + ".";
  if (stage.expansion == 1) return {{}, {prefix + "conv_dw", prefix + "bn1"}, {prefix + "conv_pw", prefix + "bn2"}};
  return {{prefix + "conv_pw", prefix + "bn1"},
          {prefix + "conv_dw", prefix + "bn2"},
          {prefix + "conv_pwl", prefix + "bn3"}};
}

InvertedResidualBackbone::InvertedResidualBackbone(const nn::Weights& weights, const InvertedResidualConfig& config)
    : Backbone(outputChannels(config)),
      padsAsTensorFlow_(config.padsAsTensorFlow),
      takesSignedPixels_(config.takesSignedPixels),
      stem_(foldedLayer(weights, config.stem, 3, config.stemChannels, 3, 2, 1, config.normEps)) {
  const std::vector<size_t> outputs = outputStages(config);
  int64_t in = config.stemChannels, index = 0;
  for (size_t i = 0; i < config.stages.size(); ++i) {
    const InvertedResidualStage& stage = config.stages[i];
    for (int64_t block = 0; block < stage.blocks; ++block, ++index) {
      const InvertedResidualNames names = config.names(i, block, index);
      const int64_t stride = block == 0 ? stage.stride : 1, inner = in * stage.expansion, out = stage.channels;
      Block& made = blocks_.emplace_back();
      if (stage.expansion > 1) made.expand = foldedLayer(weights, names.expand, in, inner, 1, 1, 1, config.normEps);
      made.depthwise = foldedLayer(weights, names.depthwise, inner, inner, stage.kernel, stride, inner, config.normEps);
      made.project = foldedLayer(weights, names.project, inner, out, 1, 1, 1, config.normEps);
      made.isResidual = stride == 1 && in == out;
      made.isLastOfStride = block + 1 == stage.blocks && std::find(outputs.begin(), outputs.end(), i) != outputs.end();
      in = out;
    }
  }
}

at::Tensor InvertedResidualBackbone::convolve(const nn::ConvNorm& layer, const at::Tensor& x) const {
  if (!padsAsTensorFlow_ || layer.stride == 1) return layer(x, /*training=*/false);
  const int64_t size = layer.kernel.size(2);
  const auto missing = [&](int64_t side) {
    const int64_t outputs = (side + layer.stride - 1) / layer.stride;
    return std::max<int64_t>((outputs - 1) * layer.stride + size - side, 0);
  };
  const int64_t rows = missing(x.size(2)), columns = missing(x.size(3));
  const at::Tensor padded = at::constant_pad_nd(x, {columns / 2, columns - columns / 2, rows / 2, rows - rows / 2});
  const int64_t padding = 0;
  return at::conv2d(padded, layer.kernel, layer.bias, layer.stride, padding, /*dilation=*/1, layer.groups);
}

std::vector<at::Tensor> InvertedResidualBackbone::firstStages(const at::Tensor& images, size_t count) const {
  constexpr double kLimit = 6;
  const auto activated = [&](const nn::ConvNorm& layer, const at::Tensor& x) {
    return convolve(layer, x).clamp_(0, kLimit);
  };
  const at::Tensor pixels = takesSignedPixels_ ? 2 * denormalizeFromImagenet(images) - 1 : images;
  at::Tensor h = activated(stem_, pixels);
  std::vector<at::Tensor> outputs;
  for (const Block& block : blocks_) {
    if (outputs.size() == count) break;
    const at::Tensor wide = block.expand ? activated(*block.expand, h) : h;
    const at::Tensor narrow = block.project(activated(block.depthwise, wide), /*training=*/false);
    h = block.isResidual ? h + narrow : narrow;
    if (block.isLastOfStride) outputs.push_back(h);
  }
  return outputs;
}

}  // namespace dan::model
