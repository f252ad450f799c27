// Intervals of the measures by the bootstrap over images: the images are drawn anew, with replacement, many times.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "core/task.h"
#include "metrics/tested_images.h"

namespace dan::metrics {

struct Interval {
  double low, high;
};
// In the order of kDetectionScores. An interval is NaN if its measure is, or if the images show fewer than two parts.
using Intervals = std::array<Interval, kDetectionScores.size()>;

struct BootstrapOptions {
  int64_t replicates = 1000;
  uint64_t seed = 0;
  double level = 0.95;
};

struct BootstrapResult {
  std::vector<Intervals> types;  // Each type together with the good images.
  Intervals average;             // The mean over the types.
  Intervals together;            // All images.
};

// All images of one part are drawn together. Each replicate draws as many parts of each type, and good ones, as there
// are; a part belongs to the first type that shows it. Intervals are percentiles of the replicates. Pixels are counted
// in about 2,000 classes of scores, which changes a measure by less than a thousandth.
BootstrapResult bootstrapImages(const std::vector<TestedImages>& types, const TestedImages& good,
                                const BootstrapOptions& options, const Task& task);

}  // namespace dan::metrics
