#include "dual/background.h"

#include "core/error.h"

namespace dan::dual {

BackgroundMode parseBackgroundMode(const std::string& name) {
  if (name == "off") return BackgroundMode::kOff;
  if (name == "add") return BackgroundMode::kAdd;
  if (name == "interpolate") return BackgroundMode::kInterpolate;
  fail(kInvalidOption, "Expected off, add or interpolate for background but received ", name);
}

const char* backgroundModeName(BackgroundMode mode) {
  return mode == BackgroundMode::kOff ? "off" : mode == BackgroundMode::kAdd ? "add" : "interpolate";
}

at::Tensor blackOut(const at::Tensor& pixelValues, const at::Tensor& foregrounds) {
  return pixelValues * (1 - foregrounds) - foregrounds;
}

BackgroundMixer::BackgroundMixer(const nn::Weights& weights, int64_t width)
    : hidden(weights.scope("mlp.0"), width, kBackgroundHidden),
      output(weights.scope("mlp.1"), kBackgroundHidden, width),
      gamma(weights.take("gamma", {1})) {}

at::Tensor BackgroundMixer::operator()(const at::Tensor& hiddenStates, const at::Tensor& features,
                                       BackgroundMode mode) const {
  return withBackground(hiddenStates, ofBackground(features), mode);
}

at::Tensor BackgroundMixer::ofBackground(const at::Tensor& features) const {
  return gamma.to(features.dtype()) * output(hidden(features));
}

at::Tensor BackgroundMixer::withBackground(const at::Tensor& hiddenStates, const at::Tensor& background,
                                           BackgroundMode mode) const {
  const bool isAdded = mode != BackgroundMode::kInterpolate;
  return (isAdded ? hiddenStates : (1 - gamma.to(hiddenStates.dtype())) * hiddenStates) + background;
}

}  // namespace dan::dual
