#include "augment/blending.h"

#include <algorithm>
#include <cmath>

#include "augment/box_filter.h"
#include "augment/box_placement.h"
#include "augment/settings.h"

namespace dan::augment {

namespace {

constexpr double kRingShare = 1 / 32.;     // of the side: the width of the ring around a defect
constexpr double kBorderShare = 1 / 128.;  // of the side: the width of a defect's soft border
constexpr int64_t kBorderBlur = 1;         // pixels: the radius of the filters that soften that border
constexpr double kSmoothShare = 3 / 32.;   // of the side: smaller structures are not the ground's light
constexpr int64_t kFilters = 3;            // So many box filters approximate a Gaussian.
constexpr double kMaxLightGain = 2;        // the largest factor by the ground's light

at::Tensor cutOut(const at::Tensor& x, const Box& box) {
  return x.narrow(-2, box.top, box.height).narrow(-1, box.left, box.width);
}

// Adds `margin` pixels on each side of a box, as far as a picture of height x width reaches.
Box grown(const Box& box, int64_t margin, int64_t height, int64_t width) {
  const int64_t top = std::max<int64_t>(box.top - margin, 0), left = std::max<int64_t>(box.left - margin, 0);
  const int64_t bottom = std::min(box.top + box.height + margin, height);
  const int64_t right = std::min(box.left + box.width + margin, width);
  return {top, left, bottom - top, right - left};
}

// Blurs x, (C, H, W), and returns the values in the box. Each filter needs `radius` pixels around those that it
// computes, so the values are those of the whole picture, bit by bit.
at::Tensor blurredIn(const at::Tensor& x, const Box& box, int64_t radius) {
  Box within = {0, 0, x.size(-2), x.size(-1)};
  at::Tensor result = x;
  for (int64_t further = kFilters; further > 0; --further) {
    const auto narrowTo = [&](int64_t margin) {
      const Box next = grown(box, margin * radius, x.size(-2), x.size(-1));
      result = cutOut(result, {next.top - within.top, next.left - within.left, next.height, next.width});
      within = next;
    };
    narrowTo(further);
    result = boxMean(result, radius);
    narrowTo(further - 1);
  }
  return result;
}

at::Tensor blurred(const at::Tensor& x, int64_t radius) { return blurredIn(x, {0, 0, x.size(-2), x.size(-1)}, radius); }

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
  return (blurred(wide.unsqueeze(0), kBorderBlur) * kBorderGain).clamp(0, 1)[0];
}

double lightRatio(const MarkedPicture& defect, const at::Tensor& ground) {
  const at::Tensor ring = ringAround(defect.mask), before = meanOf(defect.image, ring);
  return ((meanOf(ground, ring).mean() + 0.04) / (before.mean() + 0.04)).item<double>();
}

MarkedPicture blendedWithPlain(const MarkedPicture& defect, const at::Tensor& ground, double contrast) {
  const at::Tensor before = meanOf(defect.image, ringAround(defect.mask));
  const at::Tensor after = blurred(ground, pixelsOf(kSmoothShare, defect.mask.size(0)));
  const at::Tensor added = (after + (defect.image - before) * contrast).clamp(0, 1);
  return {at::lerp(ground, added, softened(defect.mask)), defect.mask};
}

MarkedPicture blendedWith(const MarkedPicture& defect, const at::Tensor& ground, double contrast) {
  const int64_t height = defect.mask.size(0), width = defect.mask.size(1);
  at::Tensor image = ground.clone();
  const Box marked = boundingBox(defect.mask);
  if (marked.height > 0) {
    const Box box = grown(marked, pixelsOf(kBorderShare, height) + kFilters * kBorderBlur, height, width);
    const at::Tensor before = meanOf(defect.image, ringAround(defect.mask));
    const at::Tensor after = blurredIn(ground, box, pixelsOf(kSmoothShare, height));
    const at::Tensor added = (after + (cutOut(defect.image, box) - before) * contrast).clamp(0, 1);
    cutOut(image, box).copy_(at::lerp(cutOut(ground, box), added, cutOut(softened(defect.mask), box)));
  }
  return {image, defect.mask};
}

MarkedPicture blended(const MarkedPicture& defect, const at::Tensor& ground, Rng& rng) {
  const double light = lightRatio(defect, ground);
  // A faded defect would teach a detector to find defects in the grain of good ground.
  return blendedWith(defect, ground, kMovedContrast * rng.uniform(1, 1.4) * std::clamp(light, 1.0, kMaxLightGain));
}

}  // namespace dan::augment
