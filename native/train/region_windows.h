// Training windows are cut out of a region, so that they show its defect.
#pragma once

#include <ATen/ATen.h>

#include <array>

#include "core/rng.h"

namespace dan::train {

// A square of pixels in a region.
struct Window {
  int64_t top = 0, left = 0, side = 0;
  // Returns a view of the window in an image (H, W, ...).
  at::Tensor cut(const at::Tensor& image) const { return image.slice(0, top, top + side).slice(1, left, left + side); }
};

class RegionWindows {
 public:
  // mask: (H, W), not 0 inside the defect; each side has at least `side` pixels.
  RegionWindows(at::Tensor mask, int64_t side);

  // Draws a window. Along each axis it holds the whole defect if that fits; otherwise it lies inside the defect's
  // bounding box. It always shows a part of the defect. In a good region it lies anywhere.
  Window draw(Rng& rng) const;

 private:
  struct Axis {
    int64_t size, first, end;  // pixels of the region; the defect's are first to end - 1
  };
  bool isGood() const { return axes_[0].end == 0; }
  bool fits(const Axis& axis) const { return axis.end - axis.first <= side_; }
  std::array<int64_t, 2> offsets(const Axis& axis, int64_t anchor) const;

  at::Tensor mask_;
  int64_t side_;
  std::array<Axis, 2> axes_;
};

}  // namespace dan::train
