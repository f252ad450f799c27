// This ranking of pixels measures maps of any size in 4 bytes a pixel, with the values of ranking.h.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace dan::metrics {

// Each is 0 .. 1. Without a defect, f1Max is 0 and the others are NaN. Without a good pixel, auroc and auPro are NaN.
struct PixelScores {
  double auroc, averagePrecision, f1Max, auPro;
};

// It holds the pixels of the maps of one set of images.
class RankedPixels {
 public:
  // map: (H, W), float; mask: (H, W), nonzero in a defect. Throws ERR_INVALID_OPTION if a score is negative or not
  // finite, because the order of such scores is not that of their bits.
  void add(const at::Tensor& map, const at::Tensor& mask);

 private:
  friend PixelScores scorePixels(const std::vector<RankedPixels*>& sets, double limit, int64_t positions);
  void sort();

  // Each pixel is the bits of its score, shifted by one, with the label in the lowest bit. The sign of a score is 0.
  std::vector<uint32_t> pixels_;
  bool isSorted_ = true;
  std::vector<std::vector<float>> regions_;  // The scores of each region of a defect, in rising order.
};

// Measures several sets together. The region overlap is that of auPro() in ranking.h. A set is sorted once.
PixelScores scorePixels(const std::vector<RankedPixels*>& sets, double limit = 0.3, int64_t positions = 100);

}  // namespace dan::metrics
