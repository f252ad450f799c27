// Crop&Paste (Lin et al., ICME 2021): a real defect on a good picture, as it is and with hard edges.
#pragma once

#include <ATen/ATen.h>

#include "core/draw.h"

namespace dan {

// A picture, (3, H, W) float in 0 .. 1, and what of it is defective, (H, W) bool.
struct MarkedPicture {
  at::Tensor image, mask;
};

// Cuts the defect out, flips, turns by quarters and scales it (to 0.75 .. 1.25 of its size), and pastes it where it
// falls on `onto`, which is changed in place; what is marked there stays so. Where the mask is empty, nothing changes;
// a defect of few pixels can vanish where it is made smaller. Without `turns` it is not turned.
void cropPaste(const MarkedPicture& defect, const MarkedPicture& onto, Draw& draw, bool turns = true);

}  // namespace dan
