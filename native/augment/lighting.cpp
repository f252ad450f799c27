#include "augment/lighting.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

namespace dan::augment {

namespace {

constexpr int64_t kLightGrid = 4;  // Light is random at so many points along a side, and smooth between them.
// Cameras expose for the highlights. We let at most this share of the pixels become white that were not.
constexpr double kMostBurnt = 0.01;
constexpr double kBrightest = 254 / 255.;  // of what is not white

// Returns the lightest channel of each pixel of `picture` that is not white in `before`. Both are (3, H, W).
std::vector<float> lightestChannels(const at::Tensor& picture, const at::Tensor& before) {
  const int64_t plane = picture[0].numel();
  const auto *x = picture.const_data_ptr<float>(), *old = before.const_data_ptr<float>();
  const auto lightest = [plane](const float* at) { return std::max(std::max(at[0], at[plane]), at[2 * plane]); };
  std::vector<float> values(static_cast<size_t>(plane));
  int64_t count = 0;
  for (int64_t i = 0; i < plane; ++i) {
    values[static_cast<size_t>(count)] = lightest(x + i);
    count += lightest(old + i) <= static_cast<float>(kBrightest) ? 1 : 0;
  }
  values.resize(static_cast<size_t>(count));
  return values;
}

// Returns the largest of the values, none of which is negative, except for `skipped` of them.
float largestBut(const std::vector<float>& values, int64_t skipped) {
  // The upper half of the bits of numbers without a sign orders them like integers.
  const auto upperHalf = [](float value) {
    const float unsignedValue = value + 0.F;  // -0 becomes 0.
    uint32_t bits = 0;
    std::memcpy(&bits, &unsignedValue, sizeof bits);
    return static_cast<size_t>(bits >> 16);
  };
  std::vector<int32_t> counts(size_t{1} << 15);
  for (const float value : values) ++counts[upperHalf(value)];
  size_t found = counts.size() - 1;
  for (; counts[found] <= skipped; --found) skipped -= counts[found];
  std::vector<float> close;
  for (const float value : values) {
    if (upperHalf(value) == found) close.push_back(value);
  }
  std::nth_element(close.begin(), close.begin() + skipped, close.end(), std::greater<>());
  return close[static_cast<size_t>(skipped)];
}

int64_t mostBurnt(int64_t count) { return static_cast<int64_t>(kMostBurnt * static_cast<double>(count)); }

double gainTo(double lightest) {
  return lightest > 0 ? kBrightest / lightest : std::numeric_limits<double>::infinity();
}

}  // namespace

double largestGain(const at::Tensor& picture, const at::Tensor& before) {
  const std::vector<float> values = lightestChannels(picture, before);
  return gainTo(values.empty() ? 0 : largestBut(values, mostBurnt(static_cast<int64_t>(values.size()))));
}

double largestGainPlain(const at::Tensor& picture, const at::Tensor& before) {
  const at::Tensor values = picture.amax(0).masked_select(before.amax(0) <= kBrightest);
  const int64_t count = values.numel();
  return gainTo(count == 0 ? 0 : std::get<0>(values.kthvalue(count - mostBurnt(count))).item<double>());
}

at::Tensor withUnevenLight(const at::Tensor& picture, double spread, Rng& rng) {
  const at::Tensor points = (rng.uniform({1, 1, kLightGrid, kLightGrid}) - 0.5) * (spread * std::sqrt(12.0));
  const at::Tensor field = at::upsample_bicubic2d(points, picture.sizes().slice(1), /*align_corners=*/false)[0];
  const at::Tensor before = picture.contiguous(), lit = before * field.exp();
  return lit.mul_(std::min(1.0, largestGain(lit, before))).clamp_(0, 1);
}

at::Tensor exposed(const at::Tensor& picture, double gain, double mostGain) {
  const at::Tensor before = picture.contiguous();
  const double largest = largestGain(before, before);
  const bool isLowered = gain > 1 && largest < mostGain;
  return (before * (isLowered ? std::pow(largest, std::log(gain) / std::log(mostGain)) : gain)).clamp_(0, 1);
}

at::Tensor withExposure(const at::Tensor& picture, double spread, Rng& rng) {
  const double most = spread * std::sqrt(3.0);
  return exposed(picture, std::exp(rng.uniform(-most, most)), std::exp(most));
}

}  // namespace dan::augment
