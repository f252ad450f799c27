// These rankings of pixels measure maps of any size, whose scores may have any range.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "metrics/ranking_curve.h"

namespace dan::metrics {

// The pixels of one map. It keeps 4 bytes for each good pixel and 8 for each pixel of a defect.
struct RankedPixels {
  struct DefectPixel {
    float score;
    uint32_t regionSize;  // The pixels of its 8-connected region.
  };

  // map: (H, W), float, of any range; mask: (H, W), nonzero in a defect. Throws ERR_INVALID_OPTION if a score is not
  // finite.
  RankedPixels(const at::Tensor& map, const at::Tensor& mask);

  // Both are in rising order of their scores.
  std::vector<float> good;
  std::vector<DefectPixel> defects;
  int64_t regions = 0;
};

// The curve of the pixels of several maps together. Every score is a threshold.
RankingCurve rankPixels(const std::vector<const RankedPixels*>& maps);

}  // namespace dan::metrics
