#include <cmath>

#include "core/random.h"
#include "core/rng.h"
#include "detect/detection_scores.h"
#include "metrics/ranking.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

using metrics::DetectionScores;

struct MadeMap {
  at::Tensor map, mask;  // (1, W)
};

// One row of pixels, so that the regions of several maps beside each other stay those of the maps. Steps of 1 / 64 make
// ties, and scores lie on both sides of 0.
MadeMap makeMap(Rng& rng, int64_t width, bool isDefect, int64_t length) {
  const at::Tensor mask = at::zeros({1, width}, at::kByte);
  if (isDefect) mask.slice(1, 5, 5 + length).fill_(255);
  if (isDefect && length > 6) mask.slice(1, 7, 8).fill_(0);
  return {(rng.uniform({1, width}) * 64 + mask.to(at::kFloat) / 255 * 8).floor() / 8 - 4, mask};
}

void expectNear(double value, double expected, double within = 1e-12) { EXPECT(std::abs(value - expected) <= within); }

}  // namespace

// Maps of several sizes are measured in sets. The plain metrics of all pixels in one row are the measure of it.
DAN_TEST(map_scorer_gives_the_plain_metrics_of_maps_of_any_size_and_range) {
  Rng rng(makeGenerator(4));
  detect::MapScorer scorer;
  std::vector<at::Tensor> maps, masks, imageScores, imageLabels;
  for (int64_t i = 0; i < 9; ++i) {
    const bool isDefect = i % 3 != 0;
    const auto [map, mask] = makeMap(rng, 40 + 7 * i, isDefect, 4 + i);
    const double own = scorer.add(i % 2 == 0 ? "even" : "odd", map, mask, std::nullopt, i);
    if (isDefect) expectNear(own, metrics::averagePrecision(map, mask));
    if (!isDefect) EXPECT(std::isnan(own));
    maps.push_back(map);
    masks.push_back(mask);
    imageScores.push_back(at::tensor({metrics::imageScore(map)}, at::kDouble));
    imageLabels.push_back(mask.amax().view({1}));
  }
  const at::Tensor map = at::cat(maps, 1), mask = at::cat(masks, 1);
  const DetectionScores scores = scorer.score({"even", "odd"});
  expectNear(scores.pixelAuroc, metrics::auroc(map, mask));
  expectNear(scores.pixelAp, metrics::averagePrecision(map, mask));
  expectNear(scores.pixelF1Max, metrics::f1Max(map, mask));
  expectNear(scores.pixelAuPro, metrics::auProExact(map.unsqueeze(0), mask.unsqueeze(0), 0.3));
  expectNear(scores.pixelAuPro5, metrics::auProExact(map.unsqueeze(0), mask.unsqueeze(0), 0.05));
  const at::Tensor images = at::cat(imageScores), labels = at::cat(imageLabels);
  expectNear(scores.imageAuroc, metrics::auroc(images, labels));
  expectNear(scores.imageAp, metrics::averagePrecision(images, labels));
  expectNear(scores.imageF1Max, metrics::f1Max(images, labels));
  const DetectionScores none = scorer.score({"unknown"});
  for (const auto& [name, value] : metrics::kDetectionScores) EXPECT(std::isnan(none.*value));
  const double infinite = std::numeric_limits<double>::infinity();
  expectError(
      [&] {
        scorer.add("even", at::full({1, 2}, infinite), at::zeros({1, 2}, at::kByte), std::nullopt, 0);
      },
      "finite scores in a map");
  expectError(
      [&] {
        scorer.add("even", at::zeros({1, 2}), at::zeros({1, 2}, at::kByte), infinite, 0);
      },
      "finite score of an image");
}

// A measure depends on the order of scores alone, so any rising function of them leaves it as it is.
DAN_TEST(map_scorer_takes_raw_scores_of_any_range) {
  detect::MapScorer plain, scaled;
  Rng rng(makeGenerator(5));
  for (int64_t i = 0; i < 6; ++i) {
    const auto [map, mask] = makeMap(rng, 50, i % 2 == 0, 9);
    const double score = metrics::imageScore(map);
    plain.add("all", map, mask, score, i);
    scaled.add("all", map * 1e6 - 3e7, mask, score * 1e6 - 3e7, i);
  }
  const DetectionScores first = plain.score({"all"}), second = scaled.score({"all"});
  for (const auto& [name, value] : metrics::kDetectionScores) expectNear(first.*value, second.*value);
}

DAN_TEST(image_score_of_a_map_is_not_raised_by_its_border) {
  const at::Tensor map = at::full({64, 64}, -5.0F);
  expectNear(metrics::imageScore(map), -5, 1e-5);
  map.slice(0, 20, 45).slice(1, 20, 45).fill_(-1.0F);
  expectNear(metrics::imageScore(map), -1, 1e-5);
  const at::Tensor probabilities = at::rand({40, 30});
  expectNear(metrics::imageScore(probabilities), metrics::imageScores(probabilities.unsqueeze(0)).item<double>());
}

DAN_TEST(thresholds_are_those_of_the_best_f1_and_of_a_share_of_the_good) {
  detect::MapScorer scorer;
  const auto add = [&](const char* set, std::vector<float> scores, std::vector<int> mask, double score) {
    const auto width = static_cast<int64_t>(scores.size());
    scorer.add(set, at::tensor(scores).view({1, width}), at::tensor(mask).view({1, width}).to(at::kByte), score, 0);
  };
  add("crack", {-1, 2, 3, 9}, {0, 1, 0, 1}, 7);
  add("crack", {0, 4}, {0, 1}, 1);
  add("good", {-3, -2, 3, 1}, {0, 0, 0, 0}, 2);
  add("good", {-3, -2}, {0, 0}, -4);
  // At 4, two of three pixels and none of the good ones: F1 0.8. At 2, all three and two good ones: 0.75.
  const auto best = scorer.bestThresholds({"crack", "good"});
  EXPECT(best.pixel == 4);
  EXPECT(best.image == 1);
  const auto made = scorer.decide({"crack", "good"}, best);
  expectNear(made.pixels.f1, 0.8);
  expectNear(made.pixels.precision, 1);
  expectNear(made.pixels.recall, 2.0 / 3);
  expectNear(made.images.precision, 2.0 / 3);
  expectNear(made.images.recall, 1);
  // One of the six good pixels, a share of 0.17, is called a defect above the second highest, which is 1.
  const auto share = scorer.quantileThresholds({"good"}, 0.17);
  EXPECT(share.pixel > 1 && share.pixel < 1.001);
  EXPECT(share.image > 2 && share.image < 2.001);
  EXPECT(std::isnan(scorer.quantileThresholds({"unknown"}, 0.1).pixel));
  EXPECT(std::isnan(scorer.decide({"good"}, {100, 100}).pixels.precision));
}

}  // namespace dan::tests
