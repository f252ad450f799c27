// These helpers of region overlap find the regions of a mask and measure areas below curves.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace dan::metrics {

// Returns the 8-connected regions of `mask` (H, W). Each is a list of pixel indices.
std::vector<std::vector<int64_t>> connectedRegions(const at::Tensor& mask);

struct CurvePoint {
  double x, y;
};

// Returns the area below a curve of rising x up to x = limit, divided by limit. The last step is cut by interpolation.
double areaUpTo(const std::vector<CurvePoint>& curve, double limit);

}  // namespace dan::metrics
