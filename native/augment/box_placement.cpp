#include "augment/box_placement.h"

#include <algorithm>
#include <cmath>

namespace dan::augment {

namespace {

// Resizes with a filter that is as wide as a pixel of the result, so that thin defects do not disappear between its
// pixels. picture: (C, H, W).
at::Tensor resized(const at::Tensor& picture, int64_t height, int64_t width) {
  return at::_upsample_bilinear2d_aa(picture.unsqueeze(0), {height, width}, /*align_corners=*/false)[0];
}

// A mask that shrinks can be below one half everywhere. We then take its largest values.
at::Tensor resizedMask(const at::Tensor& mask, int64_t height, int64_t width) {
  const at::Tensor share = resized(mask.to(at::kFloat).unsqueeze(0), height, width)[0];
  return share >= std::min(0.5, share.max().item<double>() / 2);
}

// Moves a picture, (..., h, w), by pixels into one of height x width. Beyond its edges it repeats them.
at::Tensor shifted(const at::Tensor& picture, int64_t down, int64_t right, int64_t height, int64_t width) {
  const auto source = [](int64_t extent, int64_t by, int64_t from) {
    return (at::arange(extent, at::kLong) - by).clamp(0, from - 1);
  };
  return picture.index_select(-2, source(height, down, picture.size(-2)))
      .index_select(-1, source(width, right, picture.size(-1)));
}

}  // namespace

Box boundingBox(const at::Tensor& mask) {
  const at::Tensor rows = mask.any(1).nonzero(), columns = mask.any(0).nonzero();
  if (rows.numel() == 0) return {};
  const int64_t top = rows.min().item<int64_t>(), left = columns.min().item<int64_t>();
  return {top, left, rows.max().item<int64_t>() - top + 1, columns.max().item<int64_t>() - left + 1};
}

MarkedPicture movedInto(MarkedPicture real, const Box& box, Rng& rng) {
  real = flipped(std::move(real), rng);
  const int64_t height = real.mask.size(0), width = real.mask.size(1);
  Box from = boundingBox(real.mask);
  const bool isAcross = (from.height - from.width) * (box.height - box.width) < 0;
  if (isAcross && height == width) {
    real = {at::rot90(real.image, 1, {1, 2}), at::rot90(real.mask, 1, {0, 1})};
    from = boundingBox(real.mask);
  }
  const double scaleY = static_cast<double>(box.height) / static_cast<double>(from.height);
  const double scaleX = static_cast<double>(box.width) / static_cast<double>(from.width);
  const double scale = std::min({scaleY, scaleX, kMaxEnlarged});
  const auto sized = [&](int64_t side, double axis) {
    return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(side) * std::min(axis, scale * kMaxStretch)));
  };
  const int64_t newHeight = sized(height, scaleY), newWidth = sized(width, scaleX);
  const at::Tensor image = resized(real.image, newHeight, newWidth);
  const at::Tensor mask = resizedMask(real.mask, newHeight, newWidth);
  const Box at = boundingBox(mask);
  const int64_t down = box.top + (box.height - at.height) / 2 - at.top;
  const int64_t right = box.left + (box.width - at.width) / 2 - at.left;
  const at::Tensor inBox = at::zeros({height, width}, at::kBool);
  inBox.narrow(0, box.top, box.height).narrow(1, box.left, box.width).fill_(true);
  // If a defect reaches an edge of its picture, `shifted` repeats it beyond the box.
  const at::Tensor moved = shifted(mask, down, right, height, width) & inBox;
  return {shifted(image, down, right, height, width), moved.any().item<bool>() ? moved : inBox};
}

}  // namespace dan::augment
