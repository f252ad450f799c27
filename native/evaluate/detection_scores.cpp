#include "evaluate/detection_scores.h"

#include "metrics/ranking.h"

namespace dan::evaluate {

double MapScorer::add(const std::string& set, const at::Tensor& map, const at::Tensor& mask) {
  metrics::RankedPixels own;
  own.add(map, mask);
  const double pixelAp = metrics::scorePixels({&own}).averagePrecision;
  auto& [pixels, imageScores, imageLabels] = sets_[set];
  pixels.add(map, mask);
  imageScores.push_back(metrics::imageScores(map.unsqueeze(0)).item<float>());
  imageLabels.push_back((mask != 0).any().item<bool>() ? 1.0F : 0.0F);
  return pixelAp;
}

DetectionScores MapScorer::score(const std::vector<std::string>& names) {
  std::vector<metrics::RankedPixels*> sets;
  std::vector<float> allScores, allLabels;
  for (const std::string& name : names) {
    auto& [pixels, imageScores, imageLabels] = sets_[name];
    sets.push_back(&pixels);
    allScores.insert(allScores.end(), imageScores.begin(), imageScores.end());
    allLabels.insert(allLabels.end(), imageLabels.begin(), imageLabels.end());
  }
  const auto pixels = metrics::scorePixels(sets);
  const at::Tensor scores = at::tensor(allScores), labels = at::tensor(allLabels);
  return {pixels.auroc,
          pixels.averagePrecision,
          pixels.f1Max,
          pixels.auPro,
          metrics::auroc(scores, labels),
          metrics::averagePrecision(scores, labels),
          metrics::f1Max(scores, labels)};
}

}  // namespace dan::evaluate
