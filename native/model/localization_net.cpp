#include "model/localization_net.h"

#include <string>

namespace dan::model {

namespace {

constexpr double kNormEps = 1e-5, kNormMomentum = 0.1;
constexpr int64_t kLevels = 6;
constexpr int64_t kEncoderWidths[kLevels] = {1, 2, 4, 8, 8, 8};  // times the base width
constexpr const char* kUpNames[] = {"up_b", "up1", "up2", "up3", "up4"};
constexpr const char* kDecoderNames[] = {"db_b", "db1", "db2", "db3", "db4"};
constexpr int64_t kDecoderWidths[] = {8, 4, 2, 1, 1};

}  // namespace

at::Tensor LocalizationNet::ConvNorm::operator()(const at::Tensor& x, bool training) const {
  const at::Tensor h = at::conv2d(x, weight, bias, 1, 1);
  return at::relu(
      at::batch_norm(h, normWeight, normBias, runningMean, runningVar, training, kNormMomentum, kNormEps, false));
}

LocalizationNet::ConvNorm LocalizationNet::convNorm(const nn::Weights& block, int64_t convIndex, int64_t in,
                                                    int64_t out) {
  const nn::Weights conv = block.scope(std::to_string(convIndex)), norm = block.scope(std::to_string(convIndex + 1));
  return {conv.take("weight", {out, in, 3, 3}), conv.take("bias", {out}),
          norm.take("weight", {out}),           norm.take("bias", {out}),
          norm.take("running_mean", {out}),     norm.take("running_var", {out})};
}

LocalizationNet::Block LocalizationNet::doubleConv(const nn::Weights& block, int64_t in, int64_t out) {
  return {convNorm(block, 0, in, out), convNorm(block, 3, out, out)};
}

LocalizationNet::LocalizationNet(const nn::Weights& weights, int64_t baseChannels, int64_t classes) {
  const nn::Weights encoder = weights.scope("encoder_segment"), decoder = weights.scope("decoder_segment");
  int64_t in = 3;
  for (int64_t i = 0; i < kLevels; ++i) {
    const int64_t out = baseChannels * kEncoderWidths[i];
    encoder_.push_back(doubleConv(encoder.scope("block" + std::to_string(i + 1)), in, out));
    in = out;
  }
  for (int64_t i = 0; i + 1 < kLevels; ++i) {
    const int64_t out = baseChannels * kDecoderWidths[i];
    const int64_t skip = baseChannels * kEncoderWidths[kLevels - 2 - i];
    up_.push_back(convNorm(decoder.scope(kUpNames[i]), 1, in, out));
    decoder_.push_back(doubleConv(decoder.scope(kDecoderNames[i]), out + skip, out));
    in = out;
  }
  const nn::Weights out = decoder.scope("fin_out.0");
  outWeight_ = out.take("weight", {classes, in, 3, 3});
  outBias_ = out.take("bias", {classes});
}

at::Tensor LocalizationNet::forward(const at::Tensor& x, bool training) const {
  std::vector<at::Tensor> skips;
  at::Tensor h = x;
  for (size_t i = 0; i < encoder_.size(); ++i) {
    if (i > 0) h = at::max_pool2d(h, 2);
    for (const ConvNorm& conv : encoder_[i]) h = conv(h, training);
    skips.push_back(h);
  }
  for (size_t i = 0; i < decoder_.size(); ++i) {
    const at::Tensor& skip = skips[skips.size() - 2 - i];
    h = up_[i](at::upsample_bilinear2d(h, {2 * h.size(2), 2 * h.size(3)}, /*align_corners=*/true), training);
    h = at::cat({h, skip}, 1);
    for (const ConvNorm& conv : decoder_[i]) h = conv(h, training);
  }
  return at::conv2d(h, outWeight_, outBias_, 1, 1);
}

}  // namespace dan::model
