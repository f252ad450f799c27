#include "model/sspcab.h"

#include <string>

namespace dan::model {

namespace {

// Each corner is one pixel, at a distance of one pixel from the masked one: published sizes k' = 1 and d = 1.
constexpr int64_t kDistance = 2, kReduction = 8;

}  // namespace

Sspcab::Sspcab(const nn::Weights& weights, int64_t channels) {
  for (int64_t i = 0; i < 4; ++i) {
    corners_[i] = nn::Conv2d(weights.scope("masked_conv" + std::to_string(i + 1)), channels, channels, 1);
  }
  const nn::Weights attention = weights.scope("attention_module");
  squeeze_ = nn::Linear(attention.scope("fc1"), channels, channels / kReduction);
  excite_ = nn::Linear(attention.scope("fc2"), channels / kReduction, channels);
}

at::Tensor Sspcab::operator()(const at::Tensor& x) const {
  const at::Tensor padded = at::constant_pad_nd(x, {kDistance, kDistance, kDistance, kDistance});
  const auto corner = [&](int64_t row, int64_t column) {
    const at::Tensor shifted =
        padded.narrow(2, 2 * kDistance * row, x.size(2)).narrow(3, 2 * kDistance * column, x.size(3));
    return corners_[2 * row + column](shifted);
  };
  const at::Tensor predicted = at::relu(corner(0, 0) + corner(0, 1) + corner(1, 0) + corner(1, 1));
  const at::Tensor attention = at::sigmoid(excite_(at::relu(squeeze_(predicted.mean({2, 3})))));
  return predicted * attention.unsqueeze(-1).unsqueeze(-1);
}

}  // namespace dan::model
