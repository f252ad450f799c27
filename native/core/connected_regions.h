// Masks consist of connected regions.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace dan {

enum class Neighbors { kFour, kEight };

// Returns the connected regions of `mask` (H, W). Each is a list of pixel indices.
std::vector<std::vector<int64_t>> connectedRegions(const at::Tensor& mask, Neighbors neighbors = Neighbors::kEight);

// Marks the holes of a mask, (H, W) bool, that have at most `mostShare` of its marked area each. A hole is a
// 4-connected region of other pixels that does not touch the border.
at::Tensor withoutHoles(const at::Tensor& mask, double mostShare);

}  // namespace dan
