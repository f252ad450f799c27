// This helper of the rankings measures areas below curves.
#pragma once

#include <vector>

namespace dan::metrics {

struct CurvePoint {
  double x, y;
};

// Returns the area below a curve of rising x up to x = limit, divided by limit. The last step is cut by interpolation.
double areaUpTo(const std::vector<CurvePoint>& curve, double limit);

}  // namespace dan::metrics
