#include "augment/crop_paste.h"

#include <algorithm>
#include <vector>

#include "augment/box_placement.h"

namespace dan::augment {

namespace {

// A pasted defect has this size, as a share of its original size.
constexpr double kMinScale = 0.75, kMaxScale = 1.25;

at::Tensor cut(const at::Tensor& picture, const Box& box) {
  return picture.narrow(-2, box.top, box.height).narrow(-1, box.left, box.width);
}

}  // namespace

void cropPaste(const MarkedPicture& defect, const MarkedPicture& onto, Rng& rng) {
  const Box box = boundingBox(defect.mask);
  if (box.height == 0) return;
  MarkedPicture patch = flipped({cut(defect.image, box), cut(defect.mask, box)}, rng);
  const int64_t quarters = rng.below(4);
  patch = {at::rot90(patch.image, quarters, {1, 2}), at::rot90(patch.mask, quarters, {0, 1})};
  const int64_t height = onto.mask.size(0), width = onto.mask.size(1);
  const auto rows = static_cast<double>(patch.mask.size(0)), columns = static_cast<double>(patch.mask.size(1));
  const double scale = std::min(
      {rng.uniform(kMinScale, kMaxScale), static_cast<double>(height) / rows, static_cast<double>(width) / columns});
  const auto sized = [scale](double side) { return std::max<int64_t>(1, static_cast<int64_t>(side * scale)); };
  const std::vector<int64_t> size = {sized(rows), sized(columns)};
  const auto resize = [&](const at::Tensor& picture) {
    return at::upsample_bilinear2d(picture.unsqueeze(0), size, /*align_corners=*/false)[0];
  };
  const at::Tensor mask = resize(patch.mask.to(at::kFloat).unsqueeze(0))[0] >= 0.5;
  const Box place = {rng.below(height - size[0] + 1), rng.below(width - size[1] + 1), size[0], size[1]};
  at::Tensor target = cut(onto.image, place);
  target.copy_(at::where(mask, resize(patch.image), target));
  cut(onto.mask, place).logical_or_(mask);
}

}  // namespace dan::augment
