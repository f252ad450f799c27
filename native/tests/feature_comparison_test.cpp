#include "metrics/feature_comparison.h"

#include <cmath>

#include "core/random.h"
#include "core/rng.h"
#include "tests/test.h"

namespace dan::tests {

using metrics::compareFeatures;

// The sums of the definition, one pair of images after the other.
DAN_TEST(kernel_distance_is_the_unbiased_sum_over_all_pairs) {
  Rng rng(makeGenerator(1));
  const at::Tensor x = rng.uniform({5, 4}).to(at::kDouble), y = rng.uniform({3, 4}).to(at::kDouble) + 0.5;
  const auto kernel = [](const at::Tensor& a, const at::Tensor& b) {
    const double product = (a * b).sum().item<double>() / 4 + 1;
    return product * product * product;
  };
  double within = 0, other = 0, between = 0;
  for (int64_t i = 0; i < 5; ++i) {
    for (int64_t j = 0; j < 5; ++j) within += i == j ? 0 : kernel(x[i], x[j]) / 20;
    for (int64_t j = 0; j < 3; ++j) between += kernel(x[i], y[j]) / 15;
  }
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) other += i == j ? 0 : kernel(y[i], y[j]) / 6;
  }
  EXPECT(std::abs(compareFeatures(x, y, {0, 1, 2}).kernelDistance - (within + other - 2 * between)) < 1e-10);
  EXPECT(std::isnan(compareFeatures(x, y.narrow(0, 0, 1), {0}).kernelDistance));
}

DAN_TEST(nearest_features_tell_copies_from_new_images) {
  // Real ones at the angles 0, 40 and 90 degrees, the last two exposures of one part; generated ones at 5, 60 and 140.
  const auto onCircle = [](std::vector<double> degrees) {
    const at::Tensor angle = at::tensor(degrees, at::kDouble) * (3.14159265358979 / 180);
    return at::stack({at::cos(angle), at::sin(angle)}, 1) * 7;
  };
  const auto distance = [](double degrees) { return 1 - std::cos(degrees * 3.14159265358979 / 180); };
  const auto result = compareFeatures(onCircle({5, 60, 140}), onCircle({0, 40, 90}), {0, 1, 1});
  EXPECT(std::abs(result.nearest - distance(20)) < 1e-9);      // of 5, 20 and 50
  EXPECT(std::abs(result.nearestReal - distance(40)) < 1e-9);  // of 40, 40 and 90
  EXPECT(std::abs(result.copies - 2.0 / 3) < 1e-9);            // 5 and 20 are less than 40
  const auto onePart = compareFeatures(onCircle({5, 60}), onCircle({0, 40}), {3, 3});
  EXPECT(std::isnan(onePart.nearestReal) && std::isnan(onePart.copies));
  expectError([&] { compareFeatures(onCircle({1}), onCircle({2}), {0, 1}); }, "and M parts");
  expectError([&] { compareFeatures(onCircle({std::nan("")}), onCircle({2}), {0}); }, "finite features");
}

}  // namespace dan::tests
