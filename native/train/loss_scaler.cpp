#include "train/loss_scaler.h"

#include <algorithm>

#include "core/error.h"

namespace dan::train {

namespace {

constexpr double kGrowth = 2.0, kBackoff = 0.5;
constexpr int64_t kGrowthInterval = 2000;
// GradScaler has no smallest factor and would lower it forever. Gradients that overflow unscaled are outside the range
// of float16, and no factor changes that.
constexpr double kSmallestScale = 1.0;
constexpr double kLargestScale = 0x1p127;  // This is the last power of two in float32, as in GradScaler.

}  // namespace

bool LossScaler::update(bool overflowed) {
  if (overflowed) {
    if (scale_ <= kSmallestScale) return false;
    scale_ = std::max(scale_ * kBackoff, kSmallestScale);
    goodSteps_ = 0;
    ++skipped_;
  } else if (++goodSteps_ == kGrowthInterval) {
    scale_ = std::min(scale_ * kGrowth, kLargestScale);
    goodSteps_ = 0;
  }
  return true;
}

at::Tensor LossScaler::state() const {
  return at::tensor({scale_, static_cast<double>(goodSteps_), static_cast<double>(skipped_)}, at::kDouble);
}

void LossScaler::loadState(const at::Tensor& state, const std::string& source) {
  const at::Tensor values = state.to(at::kDouble).flatten().contiguous();
  const auto* value = values.const_data_ptr<double>();
  const bool isValid = values.numel() == 3 && value[0] >= kSmallestScale && value[0] <= kLargestScale &&
                       value[1] >= 0 && value[1] < kGrowthInterval && value[2] >= 0;
  if (!isValid) fail(kWeightsInvalid, source, ": loss_scale is damaged");
  scale_ = value[0];
  goodSteps_ = static_cast<int64_t>(value[1]);
  skipped_ = static_cast<int64_t>(value[2]);
}

}  // namespace dan::train
