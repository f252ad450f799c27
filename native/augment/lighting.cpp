#include "augment/lighting.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dan::augment {

namespace {

constexpr int64_t kLightGrid = 4;  // Light is random at so many points along a side, and smooth between them.
// Cameras expose for the highlights. We let at most this share of the pixels become white that were not.
constexpr double kMostBurnt = 0.01;
constexpr double kBrightest = 254 / 255.;  // of what is not white

// Returns (H, W) bool.
at::Tensor notWhite(const at::Tensor& picture) { return picture.amax(0) <= kBrightest; }

// Returns the largest gain at which no more of these pixels become white than allowed. It is infinite without pixels.
// picture: (3, H, W); pixels: (H, W) bool.
double largestGain(const at::Tensor& picture, const at::Tensor& pixels) {
  const at::Tensor values = picture.amax(0).masked_select(pixels);
  const int64_t count = values.numel(), burnt = static_cast<int64_t>(kMostBurnt * static_cast<double>(count));
  const double value = count == 0 ? 0 : std::get<0>(values.kthvalue(count - burnt)).item<double>();
  return value > 0 ? kBrightest / value : std::numeric_limits<double>::infinity();
}

}  // namespace

at::Tensor withUnevenLight(const at::Tensor& picture, double spread, Rng& rng) {
  const at::Tensor points = (rng.uniform({1, 1, kLightGrid, kLightGrid}) - 0.5) * (spread * std::sqrt(12.0));
  const at::Tensor field = at::upsample_bicubic2d(points, picture.sizes().slice(1), /*align_corners=*/false)[0];
  const at::Tensor lit = picture * field.exp();
  return (lit * std::min(1.0, largestGain(lit, notWhite(picture)))).clamp(0, 1);
}

at::Tensor exposed(const at::Tensor& picture, double gain, double mostGain) {
  const double largest = largestGain(picture, notWhite(picture));
  const bool isLowered = gain > 1 && largest < mostGain;
  return (picture * (isLowered ? std::pow(largest, std::log(gain) / std::log(mostGain)) : gain)).clamp(0, 1);
}

at::Tensor withExposure(const at::Tensor& picture, double spread, Rng& rng) {
  const double most = spread * std::sqrt(3.0);
  return exposed(picture, std::exp(rng.uniform(-most, most)), std::exp(most));
}

}  // namespace dan::augment
