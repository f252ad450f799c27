#include "model/efficient_ad.h"

#include <string>

#include "core/error.h"

namespace dan::model {

namespace {

constexpr double kDropped = 0.2;

at::Tensor dropped(const at::Tensor& x, Rng& rng) {
  const at::Tensor kept = (rng.uniform(x.sizes()) >= kDropped).to(x.device());
  return x * kept / (1 - kDropped);
}

}  // namespace

PatchDescriptionNet::PatchDescriptionNet(const nn::Weights& weights, int64_t width, int64_t outputs) {
  const int64_t kernels[] = {4, 4, 3, 4}, channels[] = {3, 2 * width, 4 * width, 4 * width, outputs};
  for (size_t i = 0; i < convs_.size(); ++i) {
    convs_[i] = nn::Conv2d(weights.scope(nn::numbered("conv", i)), channels[i], channels[i + 1], kernels[i]);
  }
}

at::Tensor PatchDescriptionNet::forward(const at::Tensor& images) const {
  at::Tensor h = at::avg_pool2d(at::relu(convs_[0](images)), 2);
  h = at::avg_pool2d(at::relu(convs_[1](h)), 2);
  return convs_[3](at::relu(convs_[2](h)));
}

PatchAutoencoder::PatchAutoencoder(const nn::Weights& weights, int64_t width, int64_t outputs) {
  const nn::Weights encoder = weights.scope("encoder"), decoder = weights.scope("decoder");
  const int64_t channels[] = {3, width / 2, width / 2, width, width, width};
  for (size_t i = 0; i + 1 < encoder_.size(); ++i) {
    encoder_[i] = nn::Conv2d(encoder.scope(nn::numbered("enconv", i)), channels[i], channels[i + 1], 4, 2, 1);
  }
  encoder_[5] = nn::Conv2d(encoder.scope("enconv6"), width, width, 8);
  for (size_t i = 0; i < 6; ++i) {
    decoder_[i] = nn::Conv2d(decoder.scope(nn::numbered("deconv", i)), width, width, 4, 1, 2);
  }
  decoder_[6] = nn::Conv2d(decoder.scope("deconv7"), width, width, 3, 1, 1);
  decoder_[7] = nn::Conv2d(decoder.scope("deconv8"), width, outputs, 3, 1, 1);
}

void PatchAutoencoder::expectSides(int64_t height, int64_t width) {
  constexpr int64_t kMultiple = 32;  // The encoder ends in a convolution of 8 x 8 at a stride of 32.
  if (height < kSmallestSide || width < kSmallestSide || height % kMultiple != 0 || width % kMultiple != 0) {
    fail(kInvalidOption, "EfficientAD needs images or tiles whose sides are multiples of ", kMultiple, " from ",
         kSmallestSide, " pixels on but received ", height, " x ", width);
  }
}

at::Tensor PatchAutoencoder::forward(const at::Tensor& images, Rng* dropout) const {
  const int64_t height = images.size(2), width = images.size(3);
  expectSides(height, width);
  at::Tensor h = images;
  for (size_t i = 0; i + 1 < encoder_.size(); ++i) h = at::relu(encoder_[i](h));
  h = encoder_[5](h);
  // Each convolution of an even kernel adds a pixel, so every second size before it is one less.
  const auto resized = [&](int64_t divisor, int64_t less) {
    return at::upsample_bilinear2d(h, {height / divisor - less, width / divisor - less}, /*align_corners=*/false);
  };
  const int64_t divisors[] = {64, 32, 16, 8, 4, 2}, less[] = {1, 0, 1, 0, 1, 1};
  for (size_t i = 0; i < 6; ++i) {
    h = at::relu(decoder_[i](resized(divisors[i], less[i])));
    if (dropout != nullptr) h = dropped(h, *dropout);
  }
  h = resized(PatchDescriptionNet::kStride, 2 * PatchDescriptionNet::kMissingBorder);
  return decoder_[7](at::relu(decoder_[6](h)));
}

}  // namespace dan::model
