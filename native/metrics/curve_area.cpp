#include "metrics/curve_area.h"

namespace dan::metrics {

double areaUpTo(const std::vector<CurvePoint>& curve, double limit) {
  double area = 0;
  for (size_t i = 1; i < curve.size(); ++i) {
    const auto [x0, y0] = curve[i - 1];
    const auto [x1, y1] = curve[i];
    if (x1 >= limit) {
      const double yLimit = x1 == x0 ? y1 : y0 + (y1 - y0) * (limit - x0) / (x1 - x0);
      area += (limit - x0) * (y0 + yLimit) / 2;
      break;
    }
    area += (x1 - x0) * (y0 + y1) / 2;
  }
  return area / limit;
}

}  // namespace dan::metrics
