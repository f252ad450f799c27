#include <cmath>

#include "core/random.h"
#include "core/rng.h"
#include "metrics/image_bootstrap.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

using metrics::BootstrapOptions;
using metrics::Interval;
using metrics::TestedImage;
using metrics::TestedImages;

// The places of the measures in kDetectionScores.
constexpr size_t kPixelAp = 1, kImageAuroc = 5;

// `count` images with a box as the defect, whose scores rise by `contrast`, which differs between images.
std::vector<TestedImage> makeImages(int64_t count, double contrast, uint64_t seed, int64_t perPart = 1) {
  Rng rng(makeGenerator(seed));
  std::vector<TestedImage> images;
  for (int64_t i = 0; i < count; ++i) {
    const at::Tensor mask = at::zeros({20, 20}, at::kByte);
    const at::Tensor map = rng.uniform({20, 20});
    const double own = contrast * rng.uniform();
    if (contrast > 0) {
      mask.slice(0, 4, 9).slice(1, 3, 12).fill_(1);
      map.add_(mask, own);
    }
    images.emplace_back(map, mask, rng.uniform() + own, static_cast<int64_t>(1000 * seed) + i / perPart);
  }
  return images;
}

TestedImages pointersTo(const std::vector<TestedImage>& images) {
  TestedImages pointers;
  for (const auto& image : images) pointers.push_back(&image);
  return pointers;
}

double widthOf(const Interval& interval) { return interval.high - interval.low; }

}  // namespace

// A replicate that draws every image once measures what measure() does, but for the classes of scores.
DAN_TEST(bootstrap_classes_of_scores_keep_the_measures) {
  const auto crack = makeImages(12, 1, 1), good = makeImages(9, 0, 2);
  // With one part of each set, every replicate draws all of it: the intervals are empty around the measure.
  const auto onePart = makeImages(12, 1, 1, 12), oneGood = makeImages(9, 0, 2, 9);
  TestedImages all = pointersTo(onePart);
  for (const auto& image : oneGood) all.push_back(&image);
  const auto exact = metrics::measure(all);
  const auto result = metrics::bootstrapImages({pointersTo(onePart)}, pointersTo(oneGood), {}, Task());
  EXPECT(std::isnan(result.types[0][kPixelAp].low));  // There is nothing to draw from.
  EXPECT(std::isnan(result.together[kPixelAp].low));
  const auto varied = metrics::bootstrapImages({pointersTo(crack)}, pointersTo(good), {}, Task());
  for (size_t i = 0; i < metrics::kDetectionScores.size(); ++i) {
    const double value = exact.*metrics::kDetectionScores[i].value;
    EXPECT(varied.types[0][i].low < value && value < varied.types[0][i].high);
  }
}

DAN_TEST(bootstrap_counts_more_pixels_than_a_float_can) {
  std::vector<TestedImage> crack = makeImages(2, 1, 1), good = makeImages(2, 0, 2);
  constexpr float kScore = 0.5;
  for (auto& image : crack) {
    image.pixels.good.clear();
    image.pixels.defects = {{kScore, 1}};
    image.pixels.regions = 1;
  }
  // All pixels of all images are alike, so that every replicate draws the same pixels.
  constexpr size_t kPixels = 3 << 23;
  for (auto& image : good) image.pixels.good.assign(kPixels, kScore);
  BootstrapOptions options;
  options.replicates = 3;
  const auto result = metrics::bootstrapImages({pointersTo(crack)}, pointersTo(good), options, Task());
  const double share = 1.0 / (1 + kPixels);
  EXPECT(std::abs(result.types[0][kPixelAp].low / share - 1) < 1e-6);
}

// The standard error of AUROC has a closed form for large samples (Hanley & McNeil 1982).
DAN_TEST(bootstrap_interval_of_auroc_has_the_width_of_its_standard_error) {
  const auto crack = makeImages(120, 0.8, 3), good = makeImages(150, 0, 4);
  const auto result = metrics::bootstrapImages({pointersTo(crack)}, pointersTo(good), {}, Task());
  TestedImages all = pointersTo(crack);
  for (const auto& image : good) all.push_back(&image);
  const double a = metrics::measure(all).imageAuroc, q1 = a / (2 - a), q2 = 2 * a * a / (1 + a);
  const double variance = (a * (1 - a) + 119 * (q1 - a * a) + 149 * (q2 - a * a)) / (120 * 150);
  const double expected = 2 * 1.96 * std::sqrt(variance);
  EXPECT(std::abs(widthOf(result.types[0][kImageAuroc]) / expected - 1) < 0.15);
}

DAN_TEST(bootstrap_draws_the_images_of_a_part_together) {
  // Six exposures of each part are the same image six times: the interval is that of the parts, not of the images.
  std::vector<TestedImage> crack, alone, good, goodAlone;
  for (const auto& image : makeImages(10, 1, 5)) {
    alone.push_back(image);
    for (int64_t i = 0; i < 6; ++i) crack.push_back(image);
  }
  for (const auto& image : makeImages(10, 0, 6)) {
    goodAlone.push_back(image);
    for (int64_t i = 0; i < 6; ++i) good.push_back(image);
  }
  const auto six = metrics::bootstrapImages({pointersTo(crack)}, pointersTo(good), {}, Task());
  const auto one = metrics::bootstrapImages({pointersTo(alone)}, pointersTo(goodAlone), {}, Task());
  EXPECT(std::abs(widthOf(six.types[0][kPixelAp]) - widthOf(one.types[0][kPixelAp])) < 1e-3);
  int64_t part = 0;
  for (auto& image : crack) image.part = part++;
  for (auto& image : good) image.part = part++;
  const auto apart = metrics::bootstrapImages({pointersTo(crack)}, pointersTo(good), {}, Task());
  EXPECT(widthOf(apart.types[0][kPixelAp]) < 0.6 * widthOf(one.types[0][kPixelAp]));
}

DAN_TEST(bootstrap_depends_on_its_seed_alone_and_ends_when_it_is_cancelled) {
  const auto crack = makeImages(8, 1, 7), stain = makeImages(8, 0.4, 8), good = makeImages(8, 0, 9);
  const auto draw = [&](uint64_t seed) {
    BootstrapOptions options;
    options.replicates = 200;
    options.seed = seed;
    return metrics::bootstrapImages({pointersTo(crack), pointersTo(stain)}, pointersTo(good), options, Task());
  };
  const auto first = draw(0), again = draw(0), other = draw(1);
  EXPECT(first.average[kPixelAp].low == again.average[kPixelAp].low);
  EXPECT(first.average[kPixelAp].low != other.average[kPixelAp].low);
  // The mean of the types varies less than the types do.
  EXPECT(widthOf(first.average[kPixelAp]) < widthOf(first.types[0][kPixelAp]) + widthOf(first.types[1][kPixelAp]));
  Task cancelled;
  cancelled.cancel();
  expectError([&] { metrics::bootstrapImages({pointersTo(crack)}, pointersTo(good), {}, cancelled); }, "aborted");
}

}  // namespace dan::tests
