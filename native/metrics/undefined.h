// This is the value of a metric that its data do not define, such as the AUROC of defects alone.
#pragma once

#include <limits>

namespace dan::metrics {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace dan::metrics
