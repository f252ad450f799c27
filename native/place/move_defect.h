// A real defect is moved, so that `place` has another one to start from.
#pragma once

#include <optional>

#include "augment/box_placement.h"

namespace dan::place {

struct MovedDefect {
  at::Tensor image;  // (H, W, 3) uint8
  at::Tensor mask;   // (H, W) uint8, 0 and 255
};

// Flips, turns, scales and moves the defect of a picture. With `box` it is scaled and moved into the box; see
// augment::movedInto. image: (H, W, 3) uint8; mask: (H, W) uint8, not 0 inside the defect. The result depends on the
// seed only, and its mask is not empty. Throws ERR_INVALID_OPTION if the mask is empty or the box is not inside the
// picture.
MovedDefect moveDefect(const at::Tensor& image, const at::Tensor& mask, const std::optional<augment::Box>& box,
                       uint64_t seed);

}  // namespace dan::place
