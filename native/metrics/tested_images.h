// The measures of a detector on images whose sizes may differ.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <optional>
#include <vector>

#include "metrics/pixel_ranking.h"

namespace dan::metrics {

// Each is 0 .. 1. Without a defect, those of F1 are 0 and the others are NaN. Without a good pixel or image, the areas
// under the curves of false positives are NaN.
struct DetectionScores {
  double pixelAuroc, pixelAp, pixelF1Max, pixelAuPro, pixelAuPro5, imageAuroc, imageAp, imageF1Max;
};

struct NamedScore {
  const char* name;
  double DetectionScores::*value;
};
inline constexpr std::array<NamedScore, 8> kDetectionScores = {{
    {"pixelAuroc", &DetectionScores::pixelAuroc},
    {"pixelAp", &DetectionScores::pixelAp},
    {"pixelF1Max", &DetectionScores::pixelF1Max},
    {"pixelAuPro", &DetectionScores::pixelAuPro},
    {"pixelAuPro5", &DetectionScores::pixelAuPro5},
    {"imageAuroc", &DetectionScores::imageAuroc},
    {"imageAp", &DetectionScores::imageAp},
    {"imageF1Max", &DetectionScores::imageF1Max},
}};
DetectionScores detectionScores(const RankingScores& pixels, const RankingScores& images);

// An image with its map.
struct TestedImage {
  // map: (H, W), float; mask: (H, W), not 0 in a defect. `score` is the score of the image; without it, it is that of
  // imageScore(). `part` is the same number for all images of one part. Throws ERR_INVALID_OPTION for a score that is
  // not finite.
  TestedImage(const at::Tensor& map, const at::Tensor& mask, std::optional<double> score, int64_t part);

  RankedPixels pixels;
  double score;
  int64_t part;

  bool isDefect() const { return !pixels.defects.empty(); }
};

// Returns the largest value of a map after averaging over 21 x 21 pixels. Beyond the border lies 0, as in the published
// evaluation, or the lowest score if that is negative, so that a border never raises a score.
double imageScore(const at::Tensor& map);

using TestedImages = std::vector<const TestedImage*>;
RankingCurve rankImages(const TestedImages& images);
DetectionScores measure(const TestedImages& images);

// The scores from which on pixels and images are called defects.
struct Thresholds {
  double pixel, image;
};
// Returns the thresholds with the best F1, which are NaN without a defect.
Thresholds bestThresholds(const TestedImages& images);
// Returns thresholds that at most a share of `above` of the good pixels, and of the good images, exceed. They are NaN
// without good images.
Thresholds quantileThresholds(const TestedImages& images, double above);

// Each is 0 .. 1. precision is NaN if nothing is called a defect, and recall if there is none.
struct Decisions {
  double f1, precision, recall;
};
struct DetectionDecisions {
  Decisions pixels, images;
};
// Scores of at least the threshold are called defects.
DetectionDecisions decide(const TestedImages& images, const Thresholds& thresholds);

}  // namespace dan::metrics
