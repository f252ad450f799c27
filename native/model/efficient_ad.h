// These are the networks of EfficientAD-S (Batzner et al., arXiv 2303.14535), with the parameter names of anomalib.
#pragma once

#include <array>

#include "core/rng.h"
#include "nn/layers.h"

namespace dan::model {

// Four convolutions describe patches of 33 pixels at a stride of 4. They do not pad: the output lacks 4 places at each
// border.
class PatchDescriptionNet {
 public:
  static constexpr int64_t kStride = 4, kMissingBorder = 4;
  // The hidden layers have 2 and 4 times `width` channels. The published width is 64, with 384 outputs.
  PatchDescriptionNet(const nn::Weights& weights, int64_t width, int64_t outputs);
  // images: (N, 3, H, W), normalised, sides multiples of 32 from 64 on. Returns (N, outputs, H / 4 - 8, W / 4 - 8).
  at::Tensor forward(const at::Tensor& images) const;

 private:
  std::array<nn::Conv2d, 4> convs_;
};

// This autoencoder describes the same patches, but must pass the whole image through a bottleneck, so it learns the
// image's logic and not its details.
class PatchAutoencoder {
 public:
  static constexpr int64_t kSmallestSide = 256;  // pixels
  // Throws ERR_INVALID_OPTION unless the sides are multiples of 32 from 256 on.
  static void expectSides(int64_t height, int64_t width);
  // The published width is 64. It must be even.
  PatchAutoencoder(const nn::Weights& weights, int64_t width, int64_t outputs);
  // images: (N, 3, H, W), normalised, see expectSides. Returns what PatchDescriptionNet does. With `dropout`, a fifth
  // of the decoder's values is dropped, as in training.
  at::Tensor forward(const at::Tensor& images, Rng* dropout = nullptr) const;

 private:
  std::array<nn::Conv2d, 6> encoder_;
  std::array<nn::Conv2d, 8> decoder_;
};

}  // namespace dan::model
