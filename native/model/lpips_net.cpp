#include "model/lpips_net.h"

#include <string>

namespace dan::model {

namespace {

struct FireShape {
  int64_t index, in, squeeze, expand;
};
constexpr FireShape kFires[] = {{3, 64, 16, 64},   {4, 128, 16, 64},   {6, 128, 32, 128},  {7, 256, 32, 128},
                                {9, 256, 48, 192}, {10, 384, 48, 192}, {11, 384, 64, 256}, {12, 512, 64, 256}};
// LPIPS compares after the first layer and after these fire modules.
constexpr bool kIsTap[] = {false, true, false, true, true, true, true, true};
constexpr bool kPoolsBefore[] = {true, false, true, false, true, false, false, false};
constexpr int64_t kTapWidths[] = {64, 128, 256, 384, 384, 512, 512};
const double kShift[] = {-.030, -.088, -.188}, kScale[] = {.458, .448, .450};

at::Tensor unitLength(const at::Tensor& x) { return x / (x.square().sum(1, true).sqrt() + 1e-10); }

}  // namespace

LpipsSqueeze::LpipsSqueeze(const nn::Weights& backbone, const nn::Weights& linear)
    : first_(backbone.scope("features.0"), 3, 64, 3, 2) {
  for (const FireShape& shape : kFires) {
    const nn::Weights fire = backbone.scope("features." + std::to_string(shape.index));
    fires_.push_back({nn::Conv2d(fire.scope("squeeze"), shape.in, shape.squeeze, 1),
                      nn::Conv2d(fire.scope("expand1x1"), shape.squeeze, shape.expand, 1),
                      nn::Conv2d(fire.scope("expand3x3"), shape.squeeze, shape.expand, 3, 1, 1)});
  }
  for (size_t i = 0; i < std::size(kTapWidths); ++i) {
    linear_.push_back(linear.take("lin" + std::to_string(i) + ".model.1.weight", {1, kTapWidths[i], 1, 1}));
  }
}

std::vector<at::Tensor> LpipsSqueeze::features(const at::Tensor& x) const {
  const auto channel = [](const double* values) {
    return at::tensor(at::ArrayRef<double>(values, 3), at::kFloat).view({1, 3, 1, 1});
  };
  at::Tensor h = at::relu(first_((x - channel(kShift)) / channel(kScale)));
  std::vector<at::Tensor> taps = {h};
  for (size_t i = 0; i < fires_.size(); ++i) {
    if (kPoolsBefore[i]) h = at::max_pool2d(h, 3, 2, 0, 1, /*ceil_mode=*/true);
    const at::Tensor squeezed = at::relu(fires_[i].squeeze(h));
    h = at::cat({at::relu(fires_[i].expand1(squeezed)), at::relu(fires_[i].expand3(squeezed))}, 1);
    if (kIsTap[i]) taps.push_back(h);
  }
  return taps;
}

at::Tensor LpipsSqueeze::distance(const at::Tensor& a, const at::Tensor& b) const {
  const auto left = features(a), right = features(b);
  at::Tensor total = at::zeros({a.size(0)});
  for (size_t i = 0; i < left.size(); ++i) {
    const at::Tensor difference = (unitLength(left[i]) - unitLength(right[i])).square();
    total = total + at::conv2d(difference, linear_[i]).mean({1, 2, 3});
  }
  return total;
}

}  // namespace dan::model
