#include "detect/feature_noise.h"

#include <vector>

#include "augment/perlin.h"

namespace dan::detect {

at::Tensor drawNoisePlaces(int64_t count, int64_t height, int64_t width, double threshold, Rng& rng) {
  constexpr int64_t kScales = 6;  // cells along a side: 1 .. 2^5
  std::vector<at::Tensor> places;
  for (int64_t i = 0; i < count; ++i) {
    if (rng.coin()) {
      places.push_back(at::zeros({1, height, width}));
      continue;
    }
    const int64_t rows = int64_t{1} << rng.below(kScales), columns = int64_t{1} << rng.below(kScales);
    const at::Tensor noise = augment::perlinNoise(height, width, rows, columns, /*angle=*/0, rng);
    places.push_back((noise > threshold).to(at::kFloat).unsqueeze(0));
  }
  return at::stack(places);
}

LabelledFeatures withNoise(const LabelledFeatures& given, const at::Tensor& places, const at::Tensor& noise) {
  const at::Tensor masks = at::cat({given.masks, given.masks}), labels = at::cat({given.labels, given.labels});
  const at::Tensor noisy = places * (1 - masks);
  const at::Tensor features = at::cat({given.features, given.features}) + noise * noisy;
  return {features, masks + noisy, at::maximum(labels, noisy.flatten(1).amax(1))};
}

at::Tensor resizedMasks(const at::Tensor& masks, int64_t height, int64_t width) {
  const at::Tensor resized = at::upsample_bilinear2d(masks.unsqueeze(1).to(at::kFloat), {height, width},
                                                     /*align_corners=*/false);
  return (resized >= 0.5).to(at::kFloat);
}

}  // namespace dan::detect
