// A defect is scaled and moved into a box that is given.
#pragma once

#include "augment/pixel_pool.h"

namespace dan::augment {

struct Box {
  int64_t top = 0, left = 0, height = 0, width = 0;
};

// Returns the smallest box that holds the mask. It has no height if the mask is empty.
Box boundingBox(const at::Tensor& mask);

// Flips the picture at random, and scales and moves it so that the defect lies in the middle of the box and fits into
// it. If the box is tall and the defect wide, or the reverse, a square picture is turned by a quarter. The aspect ratio
// changes by at most kMaxStretch, and the shorter of the two scales is at most kMaxEnlarged. Neither the mask nor that
// of the result is empty. The box must lie inside the picture.
MarkedPicture movedInto(MarkedPicture real, const Box& box, Rng& rng);

constexpr double kMaxStretch = 1.6, kMaxEnlarged = 4;

}  // namespace dan::augment
