#include "evaluate/detection_scores.h"

#include "metrics/ranking.h"

namespace dan::evaluate {

DetectionScores scoreDetection(const at::Tensor& maps, const at::Tensor& masks) {
  const at::Tensor imageScores = metrics::imageScores(maps), imageLabels = masks.flatten(1).amax(1);
  DetectionScores scores{};
  scores.pixelAuroc = metrics::auroc(maps, masks);
  scores.pixelAp = metrics::averagePrecision(maps, masks);
  scores.pixelF1Max = metrics::f1Max(maps, masks);
  scores.pixelAuPro = metrics::auPro(maps, masks);
  scores.imageAuroc = metrics::auroc(imageScores, imageLabels);
  scores.imageAp = metrics::averagePrecision(imageScores, imageLabels);
  scores.imageF1Max = metrics::f1Max(imageScores, imageLabels);
  return scores;
}

}  // namespace dan::evaluate
