// Conversions between bytes and pictures, (3, H, W) float in 0 .. 1, that pass over memory once. Each gives the values
// of its plain form, bit by bit, because a seed's pictures depend on their rounding.
#pragma once

#include "core/pixel_values.h"
#include "core/rng.h"

namespace dan::augment {

// Says whether left and right, and top and bottom, change places.
struct Flips {
  bool across = false, down = false;
};
// Each is drawn with probability 0.5.
Flips randomFlips(Rng& rng);

// Flips a mask, (H, W).
at::Tensor flipped(const at::Tensor& mask, Flips flips);

// Converts (H, W, 3) uint8, which may be a part of a larger picture, to (3, H, W) in 0 .. 1, and flips it.
at::Tensor toPicture(const at::Tensor& image, Flips flips = {});
at::Tensor toPicturePlain(const at::Tensor& image, Flips flips = {});

struct PairBytes {
  at::Tensor image, part;  // (H, W, 3) uint8
  at::Tensor mask;         // (H, W) uint8, 255 inside the defect
};
// Converts a picture and the mask of its defect, (H, W) bool, to bytes. The part shows the defect on the background
// `fill`.
PairBytes toPairBytes(const at::Tensor& picture, const at::Tensor& mask, PartFill fill);
PairBytes toPairBytesPlain(const at::Tensor& picture, const at::Tensor& mask, PartFill fill);

}  // namespace dan::augment
