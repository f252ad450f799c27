#include "train/region_windows.h"

#include <algorithm>

namespace dan::train {

RegionWindows::RegionWindows(at::Tensor mask, int64_t side) : mask_(std::move(mask)), side_(side) {
  for (int64_t dim = 0; dim < 2; ++dim) {
    const at::Tensor marked = (mask_ > 0).any(1 - dim).nonzero();
    Axis& axis = axes_[static_cast<size_t>(dim)];
    axis = {mask_.size(dim), 0, 0};
    if (marked.size(0) == 0) continue;
    axis.first = marked[0].item<int64_t>();
    axis.end = marked[-1].item<int64_t>() + 1;
  }
}

// Returns the first and the last offset of a window. `anchor` is the coordinate of a pixel of the defect; only an axis
// that the defect does not fit needs it.
std::array<int64_t, 2> RegionWindows::offsets(const Axis& axis, int64_t anchor) const {
  if (isGood()) return {0, axis.size - side_};
  if (fits(axis)) return {std::max<int64_t>(0, axis.end - side_), std::min(axis.first, axis.size - side_)};
  return {std::max(axis.first, anchor - side_ + 1), std::min(axis.end - side_, anchor)};
}

Window RegionWindows::draw(Rng& rng) const {
  std::array<int64_t, 2> anchor = {0, 0}, offset;
  if (!fits(axes_[0]) || !fits(axes_[1])) {
    const at::Tensor pixels = mask_.nonzero();
    const at::Tensor pixel = pixels[rng.below(pixels.size(0))];
    anchor = {pixel[0].item<int64_t>(), pixel[1].item<int64_t>()};
  }
  for (size_t i = 0; i < 2; ++i) {
    const auto [first, last] = offsets(axes_[i], anchor[i]);
    offset[i] = first + rng.below(last - first + 1);
  }
  return {offset[0], offset[1], side_};
}

}  // namespace dan::train
