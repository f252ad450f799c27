// Loss scaling for float16 (arXiv 1710.03740, section 3.2): float16 rounds gradients below 6e-8 to zero. We therefore
// multiply the loss before the backward pass and divide the gradients after it. The factor adapts to overflows with the
// constants of PyTorch's GradScaler.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace dan::train {

class LossScaler {
 public:
  // If not enabled, the factor stays 1.
  explicit LossScaler(bool enabled) : enabled_(enabled), scale_(enabled ? kInitialScale : 1.0) {}

  bool enabled() const { return enabled_; }
  double scale() const { return scale_; }
  // Returns the number of steps skipped so far because their gradients overflowed.
  int64_t skipped() const { return skipped_; }

  // Must be called after every step. Halves the factor if gradients overflowed, and doubles it after 2000 steps without
  // overflow. Returns false if they overflowed at the smallest factor, because scaling cannot help then.
  bool update(bool overflowed);

  // The state is (3) float64: the factor, the steps since it last changed, and the skipped steps. Errors
  // (ERR_WEIGHTS_INVALID) name `source` as the file.
  at::Tensor state() const;
  void loadState(const at::Tensor& state, const std::string& source);

 private:
  static constexpr double kInitialScale = 65536.0;

  bool enabled_;
  double scale_;
  int64_t goodSteps_ = 0, skipped_ = 0;
};

}  // namespace dan::train
