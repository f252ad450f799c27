// A real defect is moved, so that `place` has another one to start from.
#pragma once

#include <optional>

#include "augment/box_placement.h"

namespace dan::place {

struct MovedDefect {
  at::Tensor image;  // (H, W, 3) uint8
  at::Tensor mask;   // (H, W) uint8, 0 and 255
};

struct MoveSettings {
  uint64_t seed = 0;
  std::optional<augment::Box> box;
  std::optional<double> angle;  // in radians, from the axis of the columns (x) towards that of the rows (y)
};

// Flips, turns, scales and moves the defect of a picture. With `box` it is scaled and moved into the box; see
// augment::movedInto. With `angle` it is turned by that angle first and is not flipped, so that its direction is known;
// see augment::turned. image: (H, W, 3) uint8; mask: (H, W) uint8, not 0 inside the defect. The result depends on the
// settings only, and its mask is not empty. Throws ERR_INVALID_OPTION if the mask is empty, the box is not inside the
// picture, the angle is not finite, or both are given.
MovedDefect moveDefect(const at::Tensor& image, const at::Tensor& mask, const MoveSettings& settings);

}  // namespace dan::place
