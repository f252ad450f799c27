// These scores measure a detector on sets of images, whose sizes may differ.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "metrics/image_bootstrap.h"
#include "metrics/tested_images.h"

namespace dan::detect {

// Collects the maps of tested images, one after the other. It keeps 4 bytes for each good pixel, and 8 for each pixel
// of a defect. A set names the images that a map belongs to, such as a defect type.
class MapScorer {
 public:
  using Sets = std::vector<std::string>;

  // The arguments are those of metrics::TestedImage, which throws. Returns the average precision of the map's pixels,
  // or NaN without a defect.
  double add(const std::string& set, const at::Tensor& map, const at::Tensor& mask, std::optional<double> score,
             int64_t part);

  // These measure the images of several sets together.
  metrics::DetectionScores score(const Sets& sets) const { return metrics::measure(imagesOf(sets)); }
  metrics::Thresholds bestThresholds(const Sets& sets) const { return metrics::bestThresholds(imagesOf(sets)); }
  metrics::Thresholds quantileThresholds(const Sets& sets, double above) const {
    return metrics::quantileThresholds(imagesOf(sets), above);
  }
  metrics::DetectionDecisions decide(const Sets& sets, const metrics::Thresholds& thresholds) const {
    return metrics::decide(imagesOf(sets), thresholds);
  }
  // Returns the intervals of each type together with the set `good`.
  metrics::BootstrapResult bootstrap(const Sets& types, const std::string& good,
                                     const metrics::BootstrapOptions& options, const Task& task) const;

 private:
  metrics::TestedImages imagesOf(const Sets& sets) const;

  std::map<std::string, std::vector<metrics::TestedImage>> sets_;
};

}  // namespace dan::detect
