#include "model/localization_net.h"

#include <string>

namespace dan::model {

namespace {

constexpr int64_t kPixelClasses = 2, kUnetLevels = 6;
constexpr int64_t kUnetEncoderWidths[kUnetLevels] = {1, 2, 4, 8, 8, 8};  // multiples of the base width
constexpr const char* kUpNames[] = {"up_b", "up1", "up2", "up3", "up4"};
constexpr const char* kDecoderNames[] = {"db_b", "db1", "db2", "db3", "db4"};
constexpr int64_t kUnetDecoderWidths[] = {8, 4, 2, 1, 1};

}  // namespace

LocalizationNet::LocalizationNet(const nn::Weights& weights, int64_t baseChannels, int64_t channels) {
  const nn::Weights encoder = weights.scope("encoder_segment"), decoder = weights.scope("decoder_segment");
  int64_t in = channels;
  for (int64_t i = 0; i < kUnetLevels; ++i) {
    const int64_t out = baseChannels * kUnetEncoderWidths[i];
    encoder_.emplace_back(encoder.scope("block" + std::to_string(i + 1)), in, out, out);
    in = out;
  }
  for (int64_t i = 0; i + 1 < kUnetLevels; ++i) {
    const int64_t out = baseChannels * kUnetDecoderWidths[i];
    const int64_t skip = baseChannels * kUnetEncoderWidths[kUnetLevels - 2 - i];
    up_.emplace_back(decoder.scope(kUpNames[i]), in, out);
    decoder_.emplace_back(decoder.scope(kDecoderNames[i]), out + skip, out, out);
    in = out;
  }
  out_ = nn::Conv2d(decoder.scope("fin_out.0"), in, kPixelClasses, 3, 1, 1);
}

at::Tensor LocalizationNet::forward(const at::Tensor& x, bool training) const {
  std::vector<at::Tensor> skips;
  at::Tensor h = x;
  for (size_t i = 0; i < encoder_.size(); ++i) {
    if (i > 0) h = at::max_pool2d(h, 2);
    h = encoder_[i](h, training);
    skips.push_back(h);
  }
  for (size_t i = 0; i < decoder_.size(); ++i) {
    const at::Tensor& skip = skips[skips.size() - 2 - i];
    h = decoder_[i](at::cat({up_[i](h, training), skip}, 1), training);
  }
  return out_(h);
}

}  // namespace dan::model
