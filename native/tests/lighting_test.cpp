// Uneven light and exposure must be as strong as asked, and burn no light ground.
#include "augment/lighting.h"

#include <cmath>

#include "core/random.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kLightSide = 64;

Rng lightRng(uint64_t seed, int64_t index) { return Rng(makeGenerator(seed, static_cast<uint64_t>(index))); }

// A light ground whose levels rise from left to right, with a white stripe as wide as asked.
at::Tensor lightGround(double from, double to, int64_t whiteColumns) {
  at::Tensor ground = at::linspace(from, to, kLightSide).expand({3, kLightSide, kLightSide}).clone();
  if (whiteColumns > 0) ground.narrow(2, 0, whiteColumns).fill_(1);
  return ground;
}

double whiteShare(const at::Tensor& picture) {
  return (picture.amax(0) > 254.5 / 255).to(at::kDouble).mean().item<double>();
}

}  // namespace

DAN_TEST(uneven_light_is_smooth_without_colour_and_as_strong_as_asked) {
  const double spread = 0.2;
  std::vector<at::Tensor> fields;
  for (int64_t i = 0; i < 60; ++i) {
    Rng rng = lightRng(8, i);
    const at::Tensor plain =
        at::full({3, kLightSide, kLightSide}, 80 / 255.);  // The ground is so dark that no light clips it.
    const at::Tensor field = (augment::withUnevenLight(plain, spread, rng) / plain).log();
    EXPECT((field[0] - field[2]).abs().max().item<double>() < 1e-3);
    EXPECT(field[0].diff().abs().median().item<double>() < 0.05);
    fields.push_back(field[0]);
  }
  const at::Tensor all = at::stack(fields);
  EXPECT(std::abs(all.mean().item<double>()) < 0.03);
  EXPECT(std::abs(all.std().item<double>() / spread - 1) < 0.25);  // The light varies less between its points.
  EXPECT(all.abs().max().item<double>() < spread * std::sqrt(3.0) * 1.5);
  EXPECT(all.std(0).min().item<double>() > spread / 2);  // The light varies everywhere.
}

DAN_TEST(exposure_changes_a_whole_picture_alike) {
  constexpr double kSpread = 0.2;
  constexpr int64_t kCount = 400;
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < kCount; ++i) {
    Rng rng = lightRng(0, i);
    at::Tensor plain = at::full({3, kLightSide, kLightSide}, 80 / 255.);
    plain.narrow(1, 20, 24).narrow(2, 20, 24).fill_(120 / 255.);  // a defect
    const at::Tensor factor = augment::withExposure(plain, kSpread, rng) / plain;
    EXPECT((factor.max() - factor.min()).item<double>() < 1e-5);  // Ground and defect change alike.
    const double log = std::log(factor.mean().item<double>());
    sum += log;
    squares += log * log;
  }
  EXPECT(std::abs(sum / kCount) < 4 * kSpread / std::sqrt(double{kCount}));
  EXPECT(std::abs(std::sqrt(squares / kCount) - kSpread) < 0.02);
}

DAN_TEST(light_and_exposure_burn_at_most_a_hundredth_of_a_light_ground) {
  constexpr double kMost = 0.0101, kSpread = 0.3;
  for (const int64_t whiteColumns : {int64_t{0}, kLightSide / 4, kLightSide}) {
    const at::Tensor ground = lightGround(0.7, 0.95, whiteColumns);
    const double white = whiteShare(ground);
    double lightest = 0, darkest = 1;
    for (int64_t i = 0; i < 100; ++i) {
      Rng light = lightRng(12, i), exposure = lightRng(13, i);
      EXPECT(whiteShare(augment::withUnevenLight(ground, kSpread, light)) <= white + kMost);
      const at::Tensor changed = augment::withExposure(ground, kSpread, exposure);
      EXPECT(whiteShare(changed) <= white + kMost);
      lightest = std::max(lightest, changed.mean().item<double>());
      darkest = std::min(darkest, changed.mean().item<double>());
    }
    EXPECT(darkest < 0.7 * ground.mean().item<double>());
    // A picture that is not all white still gets lighter, by up to the gain that its lightest parts allow.
    EXPECT(white == 1 || lightest > 1.03 * ground.mean().item<double>());
  }
}

DAN_TEST(the_largest_gain_is_that_of_its_plain_form) {
  const at::Tensor dark = at::rand({3, 50, 61}, makeGenerator(5), at::kFloat).pow(3);
  const at::Tensor levels = (dark * 3).round() / 3, white = at::ones({3, 50, 61}), black = at::zeros({3, 50, 61});
  for (const at::Tensor& before : {dark, levels, white, black, -black, (dark * 1.4).clamp(0, 1)}) {
    for (const double light : {0.3, 1.0, 2.5}) {
      const at::Tensor picture = before * light;
      EXPECT(augment::largestGain(picture, before) == augment::largestGainPlain(picture, before));
    }
  }
}

DAN_TEST(exposures_of_a_light_ground_still_differ) {
  const at::Tensor ground = lightGround(0.6, 0.8, 0);
  const auto meanAt = [&](double gain) { return augment::exposed(ground, gain, 1.5).mean().item<double>(); };
  const double plain = ground.mean().item<double>();
  EXPECT(std::abs(meanAt(0.8) / plain - 0.8) < 1e-5);
  EXPECT(meanAt(1.1) > 1.01 * plain && meanAt(1.3) > 1.01 * meanAt(1.1) && meanAt(1.5) > 1.01 * meanAt(1.3));
  EXPECT(std::abs(meanAt(1.5) / plain - 254 / 255. / 0.8) < 0.01);
}

}  // namespace dan::tests
