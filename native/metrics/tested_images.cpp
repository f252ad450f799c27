#include "metrics/tested_images.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "metrics/ranking.h"
#include "metrics/undefined.h"

namespace dan::metrics {

namespace {

std::vector<const RankedPixels*> pixelsOf(const TestedImages& images) {
  std::vector<const RankedPixels*> pixels;
  for (const auto* image : images) pixels.push_back(&image->pixels);
  return pixels;
}

Decisions decisions(double trueOnes, double falseOnes, double defects) {
  const double called = trueOnes + falseOnes;
  return {called + defects > 0 ? 2 * trueOnes / (called + defects) : 0, called > 0 ? trueOnes / called : kNaN,
          defects > 0 ? trueOnes / defects : kNaN};
}

// Returns the lowest threshold that at most a share of `above` of the values reach. It lies above a value, because a
// score equal to the threshold is called a defect.
template <class Value>
double thresholdAbove(std::vector<Value> values, double above) {
  if (values.empty()) return kNaN;
  const auto kept = static_cast<size_t>(above * static_cast<double>(values.size()));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() - 1 - std::min(kept, values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return std::nextafter(*at, std::numeric_limits<Value>::infinity());
}

}  // namespace

DetectionScores detectionScores(const RankingScores& pixels, const RankingScores& images) {
  return {pixels.auroc, pixels.averagePrecision, pixels.f1Max, pixels.auPro, pixels.auPro5,
          images.auroc, images.averagePrecision, images.f1Max};
}

TestedImage::TestedImage(const at::Tensor& map, const at::Tensor& mask, std::optional<double> given, int64_t part)
    : pixels(map, mask), score(given ? *given : imageScore(map)), part(part) {
  if (!std::isfinite(score)) fail(kInvalidOption, "Expected a finite score of an image but received ", score);
}

double imageScore(const at::Tensor& map) {
  const double outside = std::min(map.min().item<double>(), 0.0);
  return imageScores((map - outside).unsqueeze(0)).item<double>() + outside;
}

RankingCurve rankImages(const TestedImages& images) {
  TestedImages sorted = images;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->score > b->score; });
  double defects = 0;
  for (const auto* image : sorted) defects += image->isDefect() ? 1 : 0;
  RankingCurve curve(defects, static_cast<double>(sorted.size()) - defects, 0);
  for (size_t i = 0; i < sorted.size();) {
    const double score = sorted[i]->score;
    double defectsHere = 0, goodHere = 0;
    for (; i < sorted.size() && sorted[i]->score == score; ++i) (sorted[i]->isDefect() ? defectsHere : goodHere) += 1;
    curve.step(score, defectsHere, goodHere, 0);
  }
  return curve;
}

DetectionScores measure(const TestedImages& images) {
  return detectionScores(rankPixels(pixelsOf(images)).scores(), rankImages(images).scores());
}

Thresholds bestThresholds(const TestedImages& images) {
  return {rankPixels(pixelsOf(images)).bestThreshold(), rankImages(images).bestThreshold()};
}

Thresholds quantileThresholds(const TestedImages& images, double above) {
  std::vector<float> pixels;
  std::vector<double> scores;
  for (const auto* image : images) {
    if (image->isDefect()) continue;
    pixels.insert(pixels.end(), image->pixels.good.begin(), image->pixels.good.end());
    scores.push_back(image->score);
  }
  return {thresholdAbove(std::move(pixels), above), thresholdAbove(std::move(scores), above)};
}

DetectionDecisions decide(const TestedImages& images, const Thresholds& thresholds) {
  double truePixels = 0, falsePixels = 0, defectPixels = 0, trueImages = 0, falseImages = 0, defectImages = 0;
  for (const auto* image : images) {
    const auto& [good, defects, regions] = image->pixels;
    const auto firstGood =
        std::partition_point(good.begin(), good.end(), [&](float score) { return score < thresholds.pixel; });
    const auto firstDefect = std::partition_point(defects.begin(), defects.end(),
                                                  [&](const auto& pixel) { return pixel.score < thresholds.pixel; });
    falsePixels += static_cast<double>(good.end() - firstGood);
    truePixels += static_cast<double>(defects.end() - firstDefect);
    defectPixels += static_cast<double>(defects.size());
    defectImages += image->isDefect() ? 1 : 0;
    if (image->score >= thresholds.image) (image->isDefect() ? trueImages : falseImages) += 1;
  }
  return {decisions(truePixels, falsePixels, defectPixels), decisions(trueImages, falseImages, defectImages)};
}

}  // namespace dan::metrics
