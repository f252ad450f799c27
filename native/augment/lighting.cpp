#include "augment/lighting.h"

#include <cmath>

namespace dan::augment {

namespace {

constexpr int64_t kLightGrid = 4;  // Light is random at so many points along a side, and smooth between them.

}  // namespace

at::Tensor withUnevenLight(const at::Tensor& picture, double spread, Rng& rng) {
  const at::Tensor points = (rng.uniform({1, 1, kLightGrid, kLightGrid}) - 0.5) * (spread * std::sqrt(12.0));
  const at::Tensor field = at::upsample_bicubic2d(points, picture.sizes().slice(1), /*align_corners=*/false)[0];
  return (picture * field.exp()).clamp(0, 1);
}

at::Tensor withExposure(const at::Tensor& picture, double spread, Rng& rng) {
  const double most = spread * std::sqrt(3.0);
  return (picture * std::exp(rng.uniform(-most, most))).clamp(0, 1);
}

}  // namespace dan::augment
