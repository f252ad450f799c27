// These scores measure a detector on one set of images.
#pragma once

#include <ATen/ATen.h>

namespace dan::evaluate {

// Each is 0 .. 1, or NaN if the set has no defect, or no good pixel or image.
struct DetectionScores {
  double pixelAuroc, pixelAp, pixelF1Max, pixelAuPro, imageAuroc, imageAp, imageF1Max;
};

// maps: (N, H, W), the probability of a defect; masks: (N, H, W), not 0 in a defect. The score of an image is the
// largest value of its map averaged over 21 x 21 pixels. The region overlap counts up to a false positive rate of 0.3.
DetectionScores scoreDetection(const at::Tensor& maps, const at::Tensor& masks);

}  // namespace dan::evaluate
