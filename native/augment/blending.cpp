#include "augment/blending.h"

#include <algorithm>
#include <cmath>

#include "augment/box_filter.h"
#include "augment/settings.h"

namespace dan::augment {

namespace {

constexpr double kRingShare = 1 / 32.;     // of the side: the width of the ring around a defect
constexpr double kBorderShare = 1 / 128.;  // of the side: the width of a defect's soft border
constexpr double kSmoothShare = 3 / 32.;   // of the side: smaller structures are not the ground's light
constexpr double kMaxLightGain = 2;        // the largest factor by the ground's light

// Three box filters approximate a Gaussian. x: (C, H, W).
at::Tensor blurred(at::Tensor x, int64_t radius) {
  for (int i = 0; i < 3; ++i) x = boxMean(x, radius);
  return x;
}

at::Tensor meanOf(const at::Tensor& picture, const at::Tensor& where) {
  return (picture * where).sum({1, 2}, true) / where.sum().clamp_min(1);
}

// Returns the surroundings of a defect without its soft border. If the defect covers the whole picture, it returns the
// defect itself, because there is nothing else to measure.
at::Tensor ringAround(const at::Tensor& mask) {
  const int64_t width = pixelsOf(kRingShare, mask.size(0)), gap = pixelsOf(kBorderShare, mask.size(0));
  const at::Tensor ring = dilated(mask, width) & ~dilated(mask, gap);
  if (ring.any().item<bool>()) return ring;
  const at::Tensor rest = ~mask;
  return rest.any().item<bool>() ? rest : mask;
}

}  // namespace

double areaOf(const at::Tensor& mask) { return mask.to(at::kFloat).mean().item<double>(); }

int64_t pixelsOf(double share, int64_t side) {
  return std::max<int64_t>(1, std::llround(share * static_cast<double>(side)));
}

at::Tensor softened(const at::Tensor& mask) {
  constexpr double kBorderGain = 1.3;  // so that the mask itself gets the value 1
  const at::Tensor wide = dilated(mask, pixelsOf(kBorderShare, mask.size(0))).to(at::kFloat);
  return (blurred(wide.unsqueeze(0), 1) * kBorderGain).clamp(0, 1)[0];
}

double lightRatio(const MarkedPicture& defect, const at::Tensor& ground) {
  const at::Tensor ring = ringAround(defect.mask), before = meanOf(defect.image, ring);
  return ((meanOf(ground, ring).mean() + 0.04) / (before.mean() + 0.04)).item<double>();
}

MarkedPicture blendedWith(const MarkedPicture& defect, const at::Tensor& ground, double contrast) {
  const at::Tensor before = meanOf(defect.image, ringAround(defect.mask));
  const at::Tensor after = blurred(ground, pixelsOf(kSmoothShare, defect.mask.size(0)));
  const at::Tensor added = (after + (defect.image - before) * contrast).clamp(0, 1);
  return {at::lerp(ground, added, softened(defect.mask)), defect.mask};
}

MarkedPicture blended(const MarkedPicture& defect, const at::Tensor& ground, Rng& rng) {
  const double light = lightRatio(defect, ground);
  // A faded defect would teach a detector to find defects in the grain of good ground.
  return blendedWith(defect, ground, kMovedContrast * rng.uniform(1, 1.4) * std::clamp(light, 1.0, kMaxLightGain));
}

}  // namespace dan::augment
