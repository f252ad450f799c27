// Masks consist of connected regions.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace dan {

// Returns the 8-connected regions of `mask` (H, W). Each is a list of pixel indices.
std::vector<std::vector<int64_t>> connectedRegions(const at::Tensor& mask);

}  // namespace dan
