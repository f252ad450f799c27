#include "model/u2net.h"

#include <string>

namespace dan::model {

namespace {

constexpr const char* kStageNames[] = {"stage1",  "stage2",  "stage3",  "stage4",  "stage5", "stage6",
                                       "stage5d", "stage4d", "stage3d", "stage2d", "stage1d"};
constexpr int64_t kDepths[] = {7, 6, 5, 4, 4, 4, 4, 4, 5, 6, 7};
constexpr bool kIsDilated[] = {false, false, false, false, true, true, true, false, false, false, false};
constexpr size_t kSides = 6;
constexpr double kU2netNormEps = 1e-5, kNormMomentum = 0.1;

at::Tensor halve(const at::Tensor& x) { return at::max_pool2d(x, 2, 2, 0, 1, /*ceil_mode=*/true); }

at::Tensor resizeLike(const at::Tensor& x, const at::Tensor& like) {
  return at::upsample_bilinear2d(x, {like.size(2), like.size(3)}, /*align_corners=*/false);
}

// Returns the number of output channels, or 0 if the tensor is no convolution. No layer fits 0 channels.
int64_t channelsOf(const nn::Weights& weights, const char* name) {
  const at::IntArrayRef shape = weights.shapeOf(name);
  return shape.empty() ? 0 : shape[0];
}

}  // namespace

U2netConfig U2netConfig::fromWeights(const nn::Weights& weights) {
  U2netConfig config{};
  for (size_t i = 0; i < kStages; ++i) {
    const nn::Weights stage = weights.scope(kStageNames[i]);
    config.stages[i] = {channelsOf(stage, "rebnconv1.conv_s1.weight"), channelsOf(stage, "rebnconvin.conv_s1.weight")};
  }
  return config;
}

U2netConfig U2netConfig::uniform(int64_t mid, int64_t out) {
  U2netConfig config{};
  config.stages.fill({mid, out});
  return config;
}

ConvBnRelu::ConvBnRelu(const nn::Weights& weights, int64_t in, int64_t out, int64_t dilation)
    : weight(weights.take("conv_s1.weight", {out, in, 3, 3})),
      bias(weights.take("conv_s1.bias", {out})),
      normWeight(weights.take("bn_s1.weight", {out})),
      normBias(weights.take("bn_s1.bias", {out})),
      runningMean(weights.take("bn_s1.running_mean", {out})),
      runningVar(weights.take("bn_s1.running_var", {out})),
      dilation(dilation) {}

at::Tensor ConvBnRelu::operator()(const at::Tensor& x, bool training) const {
  const at::Tensor h = at::conv2d(x, weight, bias, 1, dilation, dilation);
  return at::relu(
      at::batch_norm(h, normWeight, normBias, runningMean, runningVar, training, kNormMomentum, kU2netNormEps, false));
}

ResidualUBlock::ResidualUBlock(const nn::Weights& weights, int64_t in, U2netConfig::Stage stage, int64_t depth,
                               bool isDilated)
    : input_(weights.scope("rebnconvin"), in, stage.out, 1), isDilated_(isDilated) {
  for (int64_t i = 1; i <= depth; ++i) {
    const int64_t dilation = isDilated ? int64_t{1} << (i - 1) : (i == depth ? 2 : 1);
    encoder_.emplace_back(weights.scope("rebnconv" + std::to_string(i)), i == 1 ? stage.out : stage.mid, stage.mid,
                          dilation);
  }
  for (int64_t i = 1; i < depth; ++i) {
    const int64_t dilation = isDilated ? int64_t{1} << (i - 1) : 1;
    decoder_.emplace_back(weights.scope("rebnconv" + std::to_string(i) + "d"), 2 * stage.mid,
                          i == 1 ? stage.out : stage.mid, dilation);
  }
}

at::Tensor ResidualUBlock::operator()(const at::Tensor& x, bool training) const {
  const at::Tensor input = input_(x, training);
  std::vector<at::Tensor> levels;
  at::Tensor h = input;
  for (size_t i = 0; i < encoder_.size(); ++i) {
    // The last level widens its view by dilation instead of another halving.
    if (!isDilated_ && i > 0 && i + 1 < encoder_.size()) h = halve(h);
    levels.push_back(h = encoder_[i](h, training));
  }
  for (size_t i = decoder_.size(); i-- > 0;) {
    h = decoder_[i](at::cat({resizeLike(h, levels[i]), levels[i]}, 1), training);
  }
  return h + input;
}

U2net::U2net(const nn::Weights& weights, const U2netConfig& config) {
  const auto& stages = config.stages;
  // Each stage takes the output of the stage before it. A decoder stage also takes the output of the encoder stage of
  // its resolution.
  for (size_t i = 0; i < U2netConfig::kStages; ++i) {
    int64_t in = i == 0 ? 3 : stages[i - 1].out;
    if (i >= kSides) in += stages[10 - i].out;
    stages_.emplace_back(weights.scope(kStageNames[i]), in, stages[i], kDepths[i], kIsDilated[i]);
  }
  for (size_t side = 1; side <= kSides; ++side) {
    const int64_t in = side == kSides ? stages[5].out : stages[11 - side].out;
    const nn::Weights scope = weights.scope("side" + std::to_string(side));
    sideWeights_.push_back(scope.take("weight", {1, in, 3, 3}));
    sideBiases_.push_back(scope.take("bias", {1}));
  }
  fuseWeight_ = weights.take("outconv.weight", {1, static_cast<int64_t>(kSides), 1, 1});
  fuseBias_ = weights.take("outconv.bias", {1});
}

std::vector<at::Tensor> U2net::forward(const at::Tensor& x, bool training) const {
  std::vector<at::Tensor> outputs;  // stages 1 to 6, then decoder stages 5 to 1
  at::Tensor h = x.to(fuseWeight_.options()).contiguous(at::MemoryFormat::ChannelsLast);
  for (size_t i = 0; i < stages_.size(); ++i) {
    if (i < kSides) {
      if (i > 0) h = halve(h);
    } else {
      const at::Tensor& skip = outputs[10 - i];
      h = at::cat({resizeLike(h, skip), skip}, 1);
    }
    outputs.push_back(h = stages_[i](h, training));
  }
  std::vector<at::Tensor> maps(1);
  for (size_t side = 1; side <= kSides; ++side) {
    const at::Tensor& source = side == kSides ? outputs[5] : outputs[11 - side];
    const at::Tensor map = at::conv2d(source, sideWeights_[side - 1], sideBiases_[side - 1], 1, 1);
    maps.push_back(side == 1 ? map : resizeLike(map, maps[1]));
  }
  maps[0] = at::conv2d(at::cat(at::TensorList(maps).slice(1), 1), fuseWeight_, fuseBias_);
  return maps;
}

}  // namespace dan::model
