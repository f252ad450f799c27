#include "metrics/pixel_ranking.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/connected_regions.h"
#include "core/error.h"
#include "metrics/curve_area.h"

namespace dan::metrics {

namespace {

uint32_t packed(float score, bool defect) {
  uint32_t bits = 0;
  std::memcpy(&bits, &score, sizeof bits);
  return (bits << 1) | static_cast<uint32_t>(defect);
}

float scoreOf(uint32_t pixel) {
  const uint32_t bits = pixel >> 1;
  float score = 0;
  std::memcpy(&score, &bits, sizeof score);
  return score;
}

// Calls visit(score, defects, good) for each distinct score from the highest down, with the numbers of its pixels.
template <class Visit>
void forEachScore(const std::vector<const std::vector<uint32_t>*>& sets, Visit&& visit) {
  std::vector<size_t> left;
  for (const auto* set : sets) left.push_back(set->size());
  while (true) {
    bool any = false;
    uint32_t highest = 0;
    for (size_t i = 0; i < sets.size(); ++i) {
      if (left[i] == 0) continue;
      any = true;
      highest = std::max(highest, (*sets[i])[left[i] - 1] >> 1);
    }
    if (!any) return;
    double defects = 0, good = 0;
    for (size_t i = 0; i < sets.size(); ++i) {
      for (; left[i] > 0 && (*sets[i])[left[i] - 1] >> 1 == highest; --left[i]) {
        ((*sets[i])[left[i] - 1] & 1 ? defects : good) += 1;
      }
    }
    visit(scoreOf(highest << 1), defects, good);
  }
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Returns the mean share of the regions' pixels above a threshold.
double meanOverlap(const std::vector<const std::vector<float>*>& regions, float threshold) {
  double overlap = 0;
  for (const auto* region : regions) {
    const auto above = region->end() - std::upper_bound(region->begin(), region->end(), threshold);
    overlap += static_cast<double>(above) / static_cast<double>(region->size());
  }
  return overlap / static_cast<double>(regions.size());
}

}  // namespace

void RankedPixels::add(const at::Tensor& map, const at::Tensor& mask) {
  const at::Tensor scores = map.to(at::kFloat).contiguous(), labels = (mask != 0).contiguous();
  const auto* score = scores.data_ptr<float>();
  const auto* label = labels.data_ptr<bool>();
  const int64_t count = scores.numel();
  for (int64_t i = 0; i < count; ++i) {
    if (!(score[i] >= 0 && score[i] <= std::numeric_limits<float>::max())) {
      fail(kInvalidOption, "Expected scores of at least 0 in a detector's map but received ", score[i]);
    }
  }
  for (int64_t i = 0; i < count; ++i) pixels_.push_back(packed(score[i], label[i]));
  isSorted_ = false;
  for (const auto& region : connectedRegions(labels)) {
    std::vector<float> values;
    values.reserve(region.size());
    for (const int64_t pixel : region) values.push_back(score[pixel]);
    std::sort(values.begin(), values.end());
    regions_.push_back(std::move(values));
  }
}

void RankedPixels::sort() {
  if (isSorted_) return;
  std::sort(pixels_.begin(), pixels_.end());
  isSorted_ = true;
}

PixelScores scorePixels(const std::vector<RankedPixels*>& sets, double limit, int64_t positions) {
  std::vector<const std::vector<uint32_t>*> pixels;
  std::vector<const std::vector<float>*> regions;
  double defects = 0, good = 0;
  for (RankedPixels* set : sets) {
    set->sort();
    pixels.push_back(&set->pixels_);
    for (const uint32_t pixel : set->pixels_) (pixel & 1 ? defects : good) += 1;
    for (const auto& region : set->regions_) regions.push_back(&region);
  }
  double area = 0, precisions = 0, best = 0, trueOnes = 0, falseOnes = 0;
  std::vector<CurvePoint> curve;  // of the region overlap
  // The thresholds are the scores of good pixels at evenly spaced ranks. The rank counts from the lowest score.
  int64_t position = positions - 1;
  const auto goodPixels = static_cast<int64_t>(good);
  const auto rankOf = [&](int64_t i) { return positions == 1 ? 0 : i * (goodPixels - 1) / (positions - 1); };
  forEachScore(pixels, [&](float score, double defectsHere, double goodHere) {
    area += goodHere * (2 * trueOnes + defectsHere) / 2;
    trueOnes += defectsHere;
    falseOnes += goodHere;
    precisions += defectsHere * trueOnes / (trueOnes + falseOnes);
    best = std::max(best, 2 * trueOnes / (trueOnes + falseOnes + defects));
    if (regions.empty()) return;
    for (; position >= 0 && goodPixels - rankOf(position) <= static_cast<int64_t>(falseOnes); --position) {
      const double falseRate = 1.0 - static_cast<double>(rankOf(position) + 1) / good;
      curve.push_back({falseRate, meanOverlap(regions, score)});
    }
  });
  curve.push_back({1.0, 1.0});
  const bool isBoth = defects > 0 && good > 0;
  return {isBoth ? area / (defects * good) : kNaN, defects > 0 ? precisions / defects : kNaN, best,
          isBoth ? areaUpTo(curve, limit) : kNaN};
}

}  // namespace dan::metrics
