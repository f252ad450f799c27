// DRAEM (arXiv 2108.07610): a network draws the image without its defects, and a second one finds where the image and
// the drawing differ in a way that matters.
#pragma once

#include <optional>
#include <vector>

#include "model/localization_net.h"
#include "model/sspcab.h"

namespace dan::model {

class ReconstructiveNet {
 public:
  // The published width is 128. With `sspcab`, that block replaces the innermost convolutions of the encoder.
  ReconstructiveNet(const nn::Weights& weights, int64_t baseChannels, bool sspcab);

  struct Output {
    at::Tensor image;        // (N, 3, H, W), not limited to 0 .. 1
    at::Tensor sspcabError;  // the mean squared error of SSPCAB's prediction, a scalar; undefined without SSPCAB
  };
  // x: (N, 3, H, W) in 0 .. 1, sides multiples of 16.
  Output forward(const at::Tensor& x, bool training = false) const;

 private:
  std::vector<DoubleConv> encoder_, decoder_;
  std::optional<Sspcab> sspcab_;
  std::vector<UpConv> up_;
  nn::Conv2d out_;
};

struct DraemWidths {
  int64_t reconstructive = 128, discriminative = 64;
};

class DraemNet {
 public:
  DraemNet(const nn::Weights& weights, DraemWidths widths, bool sspcab);

  struct Output {
    ReconstructiveNet::Output reconstruction;
    at::Tensor logits;  // (N, 2, H, W): good, defective
  };
  // x: (N, 3, H, W) in 0 .. 1, sides multiples of 32.
  Output forward(const at::Tensor& x, bool training = false) const;

 private:
  ReconstructiveNet reconstructive_;
  LocalizationNet discriminative_;
};

}  // namespace dan::model
