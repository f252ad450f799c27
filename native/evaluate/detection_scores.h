// These scores measure a detector on sets of images, whose sizes may differ.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

#include "metrics/pixel_ranking.h"

namespace dan::evaluate {

// Each is 0 .. 1. Without a defect, those of F1 are 0 and the others are NaN. Without a good pixel or image, the areas
// under the curves of false positives are NaN.
struct DetectionScores {
  double pixelAuroc, pixelAp, pixelF1Max, pixelAuPro, imageAuroc, imageAp, imageF1Max;
};

// Collects the maps of tested images, one after the other. It keeps 4 bytes for each pixel.
class MapScorer {
 public:
  // map: (H, W), the probability of a defect; mask: (H, W), not 0 in a defect. `set` names the images that the map
  // belongs to, such as a defect type. Returns the average precision of the map's pixels, or NaN without a defect.
  // Throws ERR_INVALID_OPTION for a score that is negative or not finite.
  double add(const std::string& set, const at::Tensor& map, const at::Tensor& mask);

  // Measures the images of several sets together. The score of an image is the largest value of its map averaged over
  // 21 x 21 pixels. The region overlap counts up to a false positive rate of 0.3.
  DetectionScores score(const std::vector<std::string>& sets);

 private:
  struct Set {
    metrics::RankedPixels pixels;
    std::vector<float> imageScores, imageLabels;
  };
  std::map<std::string, Set> sets_;
};

}  // namespace dan::evaluate
