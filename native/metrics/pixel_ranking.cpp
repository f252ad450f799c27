#include "metrics/pixel_ranking.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include "core/connected_regions.h"
#include "core/error.h"

namespace dan::metrics {

namespace {

// The pixels of a map that are not ranked yet.
struct Rest {
  const RankedPixels* map;
  size_t good, defects;

  bool isEmpty() const { return good == 0 && defects == 0; }
  float highest() const {
    if (good == 0) return map->defects[defects - 1].score;
    if (defects == 0) return map->good[good - 1];
    return std::max(map->good[good - 1], map->defects[defects - 1].score);
  }
};

}  // namespace

RankedPixels::RankedPixels(const at::Tensor& map, const at::Tensor& mask) {
  const at::Tensor scores = map.to(at::kFloat).contiguous(), labels = (mask != 0).contiguous();
  const auto* score = scores.data_ptr<float>();
  const auto* label = labels.data_ptr<bool>();
  const auto defectPixels = labels.sum().item<int64_t>();
  good.reserve(static_cast<size_t>(scores.numel() - defectPixels));
  defects.reserve(static_cast<size_t>(defectPixels));
  for (int64_t i = 0; i < scores.numel(); ++i) {
    if (!std::isfinite(score[i])) fail(kInvalidOption, "Expected finite scores in a map but received ", score[i]);
    if (!label[i]) good.push_back(score[i]);
  }
  for (const auto& region : connectedRegions(labels)) {
    for (const int64_t pixel : region) defects.push_back({score[pixel], static_cast<uint32_t>(region.size())});
    ++regions;
  }
  std::sort(good.begin(), good.end());
  std::sort(defects.begin(), defects.end(), [](const auto& a, const auto& b) { return a.score < b.score; });
}

RankingCurve rankPixels(const std::vector<const RankedPixels*>& maps) {
  const auto isLower = [](const Rest& a, const Rest& b) { return a.highest() < b.highest(); };
  std::priority_queue<Rest, std::vector<Rest>, decltype(isLower)> queue(isLower);
  double allDefects = 0, allGood = 0, allRegions = 0;
  for (const auto* map : maps) {
    allDefects += static_cast<double>(map->defects.size());
    allGood += static_cast<double>(map->good.size());
    allRegions += static_cast<double>(map->regions);
    if (const Rest rest{map, map->good.size(), map->defects.size()}; !rest.isEmpty()) queue.push(rest);
  }
  RankingCurve curve(allDefects, allGood, allRegions);
  while (!queue.empty()) {
    const float highest = queue.top().highest();
    double defects = 0, good = 0, overlap = 0;
    while (!queue.empty() && queue.top().highest() == highest) {
      Rest rest = queue.top();
      queue.pop();
      for (; rest.good > 0 && rest.map->good[rest.good - 1] == highest; --rest.good) good += 1;
      for (; rest.defects > 0 && rest.map->defects[rest.defects - 1].score == highest; --rest.defects) {
        defects += 1;
        overlap += 1.0 / rest.map->defects[rest.defects - 1].regionSize;
      }
      if (!rest.isEmpty()) queue.push(rest);
    }
    curve.step(highest, defects, good, overlap);
  }
  return curve;
}

}  // namespace dan::metrics
