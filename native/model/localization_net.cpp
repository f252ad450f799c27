#include "model/localization_net.h"

#include <string>

namespace dan::model {

namespace {

constexpr int64_t kLevels = 6;
constexpr int64_t kEncoderWidths[kLevels] = {1, 2, 4, 8, 8, 8};  // multiples of the base width
constexpr const char* kUpNames[] = {"up_b", "up1", "up2", "up3", "up4"};
constexpr const char* kDecoderNames[] = {"db_b", "db1", "db2", "db3", "db4"};
constexpr int64_t kDecoderWidths[] = {8, 4, 2, 1, 1};

}  // namespace

at::Tensor LocalizationNet::ConvNorm::operator()(const at::Tensor& x, bool training) const {
  return at::relu(norm(conv(x), training));
}

LocalizationNet::ConvNorm LocalizationNet::convNorm(const nn::Weights& block, int64_t convIndex, int64_t in,
                                                    int64_t out) {
  return {nn::Conv2d(block.scope(std::to_string(convIndex)), in, out, 3, 1, 1),
          nn::BatchNorm2d(block.scope(std::to_string(convIndex + 1)), out)};
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
  out_ = nn::Conv2d(decoder.scope("fin_out.0"), in, classes, 3, 1, 1);
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
  return out_(h);
}

}  // namespace dan::model
