// Pictures of one size in memory, some of them with the defects that they show.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "core/rng.h"

namespace dan::augment {

// A tensor each, so that a pool of many can grow without being copied.
struct PixelPool {
  int64_t height = 0, width = 0;
  std::vector<at::Tensor> images;  // (H, W, 3) uint8
  std::vector<at::Tensor> masks;   // (H, W) uint8, not 0 inside the defect; none in a pool of good images
  int64_t size() const { return static_cast<int64_t>(images.size()); }
};
using Pool = std::shared_ptr<const PixelPool>;

// A picture, (3, H, W) float in 0 .. 1, and what of it is defective, (H, W) bool.
struct MarkedPicture {
  at::Tensor image, mask;
};

// (H, W, 3) uint8 to (3, H, W) in 0 .. 1.
inline at::Tensor toPicture(const at::Tensor& image) {
  return image.permute({2, 0, 1}).to(at::kFloat).contiguous() / 255;
}

// One of the pool's pictures, with even chances, as (3, H, W) in 0 .. 1.
inline at::Tensor randomPicture(const PixelPool& pool, Rng& rng) {
  return toPicture(pool.images[static_cast<size_t>(rng.below(pool.size()))]);
}

// Flips image and mask alike, horizontally and vertically with even chances.
inline MarkedPicture flipped(MarkedPicture picture, Rng& rng) {
  if (rng.coin()) picture = {picture.image.flip({2}), picture.mask.flip({1})};
  if (rng.coin()) picture = {picture.image.flip({1}), picture.mask.flip({0})};
  return picture;
}

}  // namespace dan::augment
