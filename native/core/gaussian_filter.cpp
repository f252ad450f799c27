#include "core/gaussian_filter.h"

namespace dan {

at::Tensor gaussianFilter(const at::Tensor& x, double sigma, int64_t radius) {
  const at::Tensor distance = at::arange(-radius, radius + 1, x.options()) / sigma;
  const at::Tensor weights = at::exp(-0.5 * distance.square());
  const at::Tensor window = weights / weights.sum();
  const at::Tensor columns = at::conv2d(x.flatten(0, 1).unsqueeze(1), window.view({1, 1, -1, 1}));
  const at::Tensor filtered = at::conv2d(columns, window.view({1, 1, 1, -1}));
  return filtered.view({x.size(0), x.size(1), filtered.size(2), filtered.size(3)});
}

at::Tensor gaussianBlur(const at::Tensor& x, double sigma, int64_t radius) {
  return gaussianFilter(at::reflection_pad2d(x, {radius, radius, radius, radius}), sigma, radius);
}

}  // namespace dan
