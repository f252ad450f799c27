#include <cmath>

#include "core/random.h"
#include "core/rng.h"
#include "evaluate/detection_scores.h"
#include "metrics/ranking.h"
#include "tests/test.h"

namespace dan::tests {

// Maps of several sizes are measured in sets. Padding of -1 would sort below every score, so we compare with the plain
// metrics of all pixels in one row. The regions of that row are those of the maps, because a good pixel parts them.
DAN_TEST(map_scorer_gives_the_plain_metrics_of_maps_of_any_size) {
  Rng rng(makeGenerator(4));
  evaluate::MapScorer scorer;
  std::vector<at::Tensor> maps, masks, imageScores, imageLabels;
  for (int64_t i = 0; i < 9; ++i) {
    const int64_t height = 1, width = 40 + 7 * i;
    const at::Tensor mask = at::zeros({height, width}, at::kByte);
    if (i % 3 != 0) mask.slice(1, 5, 9 + i).fill_(255);
    // Steps of 1 / 64 make ties.
    const at::Tensor map = (rng.uniform({height, width}) * 64 + mask.to(at::kFloat) / 255 * 8).floor() / 72;
    const double own = scorer.add(i % 2 == 0 ? "even" : "odd", map, mask);
    if (i % 3 != 0) EXPECT(std::abs(own - metrics::averagePrecision(map, mask)) < 1e-12);
    if (i % 3 == 0) EXPECT(std::isnan(own));
    maps.push_back(map);
    masks.push_back(mask);
    imageScores.push_back(metrics::imageScores(map.unsqueeze(0)));
    imageLabels.push_back(mask.amax().view({1}));
  }
  const at::Tensor map = at::cat(maps, 1), mask = at::cat(masks, 1);
  const auto scores = scorer.score({"even", "odd"});
  const auto expectSame = [](double value, double expected) { EXPECT(std::abs(value - expected) < 1e-12); };
  expectSame(scores.pixelAuroc, metrics::auroc(map, mask));
  expectSame(scores.pixelAp, metrics::averagePrecision(map, mask));
  expectSame(scores.pixelF1Max, metrics::f1Max(map, mask));
  expectSame(scores.pixelAuPro, metrics::auPro(map.unsqueeze(0), mask.unsqueeze(0)));
  const at::Tensor images = at::cat(imageScores), labels = at::cat(imageLabels);
  expectSame(scores.imageAuroc, metrics::auroc(images, labels));
  expectSame(scores.imageAp, metrics::averagePrecision(images, labels));
  expectSame(scores.imageF1Max, metrics::f1Max(images, labels));
  EXPECT(std::isnan(scorer.score({"unknown"}).pixelAp));
  expectError([&] { scorer.add("even", at::full({1, 2}, -0.5), at::zeros({1, 2}, at::kByte)); }, "at least 0");
}

}  // namespace dan::tests
