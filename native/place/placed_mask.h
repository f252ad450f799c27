// The mask of a drawn defect comes from the part and from the known change of the photograph.
#pragma once

#include <ATen/ATen.h>

namespace dan::place {

struct DrawnDefect {
  at::Tensor part;    // (H, W, 3) uint8
  double fill;        // the part's blank level, 0 to 255
  at::Tensor change;  // (H, W, 3), in units of [-1, 1]
  at::Tensor place;   // (H, W) bool: where something could be drawn
};

// Returns 255 inside the defect, else 0, (H, W) uint8. The part says where the model means the defect to be; but where
// the defect is as light as the part's blank ground, only the change tells. Pixels where one of them is clear are
// seeds. The mask grows from them through the visible change nearby that is not much weaker. Narrow gaps are closed,
// and holes are filled up to mask::kLargestHole. Specks are left out, and so are small regions whose change is weak
// beside the largest.
at::Tensor placedMask(const DrawnDefect& drawn);

}  // namespace dan::place
