// Loss scaling for float16 (arXiv 1710.03740, section 3.2): float16 rounds gradients below 6e-8 to zero, so the loss is
// multiplied before the backward pass and the gradients are divided after it. The factor follows the overflows, with
// the numbers of PyTorch's GradScaler.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace dan::train {

class LossScaler {
 public:
  // Off: the factor is 1 and stays so.
  explicit LossScaler(bool enabled) : enabled_(enabled), scale_(enabled ? kInitialScale : 1.0) {}

  bool enabled() const { return enabled_; }
  double scale() const { return scale_; }
  // Steps so far that were skipped because their gradients overflowed.
  int64_t skipped() const { return skipped_; }

  // After every step: halves the factor where gradients overflowed, doubles it after 2000 steps without overflow.
  // Returns false where they overflowed at the smallest factor: scaling cannot help.
  bool update(bool overflowed);

  // (3) float64: the factor, the steps since it last changed, the skipped steps; and back. `source` names the file in
  // ERR_WEIGHTS_INVALID.
  at::Tensor state() const;
  void loadState(const at::Tensor& state, const std::string& source);

 private:
  static constexpr double kInitialScale = 65536.0;

  bool enabled_;
  double scale_;
  int64_t goodSteps_ = 0, skipped_ = 0;
};

}  // namespace dan::train
