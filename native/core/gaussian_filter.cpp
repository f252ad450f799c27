#include "core/gaussian_filter.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace dan {

namespace {

at::Tensor gaussianWindow(double sigma, int64_t radius, const at::TensorOptions& options) {
  const at::Tensor distance = at::arange(-radius, radius + 1, options) / sigma;
  const at::Tensor weights = at::exp(-0.5 * distance.square());
  return weights / weights.sum();
}

// Returns the matrix, (side - 2 radius, side), whose rows have the window at the places 0, 1, ...
at::Tensor windowMatrix(const at::Tensor& window, int64_t side) {
  const int64_t places = side - window.size(0) + 1;
  // Each repetition is longer than a row by one, so the window moves on by one from row to row.
  const at::Tensor repeated = at::constant_pad_nd(window, {0, places}).repeat({places});
  return repeated.narrow(0, 0, places * side).view({places, side});
}

}  // namespace

at::Tensor gaussianFilter(const at::Tensor& x, double sigma, int64_t radius) {
  // In training, libtorch's convolutions of one channel, and above all their gradients, take much longer than products
  // with matrices that are mostly zeros, unless these are large. The bits of such products depend on the batch, which a
  // score must not.
  constexpr int64_t kMostSide = 768;
  if (!at::GradMode::is_enabled() || std::max(x.size(2), x.size(3)) > kMostSide) {
    return gaussianFilterPlain(x, sigma, radius);
  }
  const at::Tensor window = gaussianWindow(sigma, radius, x.options());
  const at::Tensor columns = x.matmul(windowMatrix(window, x.size(3)).t());
  return columns.transpose(2, 3).matmul(windowMatrix(window, x.size(2)).t()).transpose(2, 3).contiguous();
}

at::Tensor gaussianFilterPlain(const at::Tensor& x, double sigma, int64_t radius) {
  const at::Tensor window = gaussianWindow(sigma, radius, x.options());
  const at::Tensor columns = at::conv2d(x.flatten(0, 1).unsqueeze(1), window.view({1, 1, -1, 1}));
  const at::Tensor filtered = at::conv2d(columns, window.view({1, 1, 1, -1}));
  return filtered.view({x.size(0), x.size(1), filtered.size(2), filtered.size(3)});
}

at::Tensor gaussianBlur(const at::Tensor& x, double sigma, int64_t radius) {
  return gaussianFilter(at::reflection_pad2d(x, {radius, radius, radius, radius}), sigma, radius);
}

}  // namespace dan
