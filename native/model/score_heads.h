// DevNet and DRA score the places of a residual network's last stage, at two scales of an image.
#pragma once

#include <vector>

#include "model/resnet.h"

namespace dan::model {

// Returns the mean of the largest tenth of each map's scores, and at least of one: (N, h, w) becomes (N).
at::Tensor topTenthMean(const at::Tensor& maps);

// Returns the last stage of images, (N, 3, H, W), normalised, and of the same images at half their sides.
std::vector<at::Tensor> featuresAtTwoScales(const ResNet& net, const at::Tensor& images, bool training);

// This head gives each place an absolute score.
class PlaceHead {
 public:
  PlaceHead(const nn::Weights& weights, int64_t channels) : scoring_(weights, channels, 1, 1) {}
  // Turns (N, C, h, w) into (N, h, w).
  at::Tensor operator()(const at::Tensor& features) const { return scoring_(features).squeeze(1).abs(); }

 private:
  nn::Conv2d scoring_;
};

}  // namespace dan::model
