// A pool holds pictures of one size in memory, and the masks of their defects.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "augment/picture_bytes.h"
#include "core/rng.h"

namespace dan::augment {

// Each picture is a tensor of its own, so that a pool can grow without a copy of all pictures.
struct PixelPool {
  int64_t height = 0, width = 0;
  std::vector<at::Tensor> images;  // (H, W, 3) uint8
  std::vector<at::Tensor> masks;   // (H, W) uint8, not 0 inside the defect; empty in a pool of good images
  int64_t size() const { return static_cast<int64_t>(images.size()); }
};
using Pool = std::shared_ptr<const PixelPool>;

// A picture, (3, H, W) float in 0 .. 1, comes with the mask of its defect, (H, W) bool.
struct MarkedPicture {
  at::Tensor image, mask;
};

// Returns one of the pool's pictures, drawn uniformly, as (3, H, W) in 0 .. 1.
inline at::Tensor randomPicture(const PixelPool& pool, Rng& rng) {
  return toPicture(pool.images[static_cast<size_t>(rng.below(pool.size()))]);
}

// Flips image and mask together, horizontally with probability 0.5 and vertically with probability 0.5.
inline MarkedPicture flipped(MarkedPicture picture, Rng& rng) {
  if (rng.coin()) picture = {picture.image.flip({2}), picture.mask.flip({1})};
  if (rng.coin()) picture = {picture.image.flip({1}), picture.mask.flip({0})};
  return picture;
}

}  // namespace dan::augment
