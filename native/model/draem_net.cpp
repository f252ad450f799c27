#include "model/draem_net.h"

#include <string>

namespace dan::model {

namespace {

constexpr int64_t kEncoderWidths[] = {1, 2, 4, 8, 8};  // multiples of the base width
constexpr int64_t kDecoderWidths[] = {4, 2, 1, 1};
constexpr int64_t kLevels = 5, kImageChannels = 3;

}  // namespace

ReconstructiveNet::ReconstructiveNet(const nn::Weights& weights, int64_t baseChannels, bool sspcab) {
  const nn::Weights encoder = weights.scope("encoder"), decoder = weights.scope("decoder");
  int64_t in = kImageChannels;
  for (int64_t i = 0; i < kLevels; ++i) {
    const nn::Weights block = encoder.scope(nn::numbered("block", i));
    const int64_t out = baseChannels * kEncoderWidths[i];
    if (sspcab && i + 1 == kLevels) {
      sspcab_.emplace(block, out);
    } else {
      encoder_.emplace_back(block, in, out, out);
    }
    in = out;
  }
  for (int64_t i = 0; i + 1 < kLevels; ++i) {
    const int64_t out = baseChannels * kDecoderWidths[i];
    up_.emplace_back(decoder.scope(nn::numbered("up", i)), in, in);
    decoder_.emplace_back(decoder.scope(nn::numbered("db", i)), in, in, out);
    in = out;
  }
  out_ = nn::Conv2d(decoder.scope("fin_out.0"), in, kImageChannels, 3, 1, 1);
}

ReconstructiveNet::Output ReconstructiveNet::forward(const at::Tensor& x, bool training) const {
  at::Tensor h = x, sspcabError;
  for (size_t i = 0; i < encoder_.size(); ++i) {
    if (i > 0) h = at::max_pool2d(h, 2);
    h = encoder_[i](h, training);
  }
  if (sspcab_) {
    const at::Tensor features = at::max_pool2d(h, 2);
    h = (*sspcab_)(features);
    sspcabError = at::mse_loss(h, features);
  }
  for (size_t i = 0; i < decoder_.size(); ++i) h = decoder_[i](up_[i](h, training), training);
  return {out_(h), sspcabError};
}

DraemNet::DraemNet(const nn::Weights& weights, DraemWidths widths, bool sspcab)
    : reconstructive_(weights.scope("reconstructive_subnetwork"), widths.reconstructive, sspcab),
      discriminative_(weights.scope("discriminative_subnetwork"), widths.discriminative, 2 * kImageChannels) {}

DraemNet::Output DraemNet::forward(const at::Tensor& x, bool training) const {
  const ReconstructiveNet::Output reconstruction = reconstructive_.forward(x, training);
  return {reconstruction, discriminative_.forward(at::cat({reconstruction.image, x}, 1), training)};
}

}  // namespace dan::model
