#include "dual/graphed_unet.h"

#include <ATen/core/grad_mode.h>

namespace dan::dual {

namespace {

// A graph depends on the shapes and precisions of its inputs, because its memory and its kernels are fixed.
std::string keyOf(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                  const BackgroundFeatures* background) {
  std::string key;
  const auto add = [&key](const at::Tensor& x) { key += c10::str(x.sizes(), x.scalar_type(), ';'); };
  add(noisyLatents);
  key += c10::str(timesteps.sizes(), ';');  // Timesteps are copied to float32.
  // The keys and values have the UNet's precision, whatever that of the states is.
  key += c10::str(encoderHiddenStates.sizes(), ';');
  if (background == nullptr) return key;
  for (const auto& [name, feature] : *background) {
    key += name;
    add(feature);
  }
  return key;
}

}  // namespace

std::unique_ptr<GraphedUnet::Recorded> GraphedUnet::record(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                                           const FoldedUnet::Prompt& prompt,
                                                           const BackgroundFeatures* background) const {
  auto recorded = std::make_unique<Recorded>();
  // A graph cannot record a copy from the host, so its inputs must be on the device.
  const auto onDevice = [this](const at::Tensor& x, at::ScalarType dtype) {
    return x.to(device_, dtype, /*non_blocking=*/false, /*copy=*/true);
  };
  recorded->latents = onDevice(noisyLatents, noisyLatents.scalar_type());
  recorded->timesteps = onDevice(timesteps, at::kFloat);  // Later timesteps may be fractions.
  if (background != nullptr) {
    for (const auto& [name, feature] : *background)
      recorded->background[name] = onDevice(feature, feature.scalar_type());
  }
  const auto predict = [this, &prompt, into = recorded.get(), withBackground = background != nullptr] {
    const BackgroundFeatures* features = withBackground ? &into->background : nullptr;
    into->prediction = plain_.predict(into->latents, into->timesteps, prompt, features);
  };
  // The first call runs without recording, because libraries choose their algorithms and allocate memory in it.
  predict();
  recorded->graph = services_.capture(device_, predict);
  return recorded;
}

at::Tensor GraphedUnet::forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                const at::Tensor& encoderHiddenStates, const BackgroundFeatures* background) const {
  const at::NoGradGuard noGrad;
  const FoldedUnet::Prompt& prompt = plain_.preparePrompt(encoderHiddenStates);
  if (attentionMaps_ != nullptr || inner_ != nullptr) {
    const Extras extras(plain_, attentionMaps_, inner_);
    return plain_.predict(noisyLatents, timesteps, prompt, background);
  }
  const std::string key = keyOf(noisyLatents, timesteps, encoderHiddenStates, background);
  auto found = recorded_.find(key);
  if (found == recorded_.end()) {
    found = recorded_.emplace(key, record(noisyLatents, timesteps, prompt, background)).first;
  }
  Recorded& recorded = *found->second;
  recorded.latents.copy_(noisyLatents);
  recorded.timesteps.copy_(timesteps);
  for (auto& [name, feature] : recorded.background) feature.copy_(background->at(name));
  recorded.graph->replay();
  return recorded.prediction.clone();  // The next replay overwrites the prediction.
}

std::unique_ptr<PairModel> makeSamplingModel(const model::Unet& unet, const FoldedAdapter& adapter) {
  if (unet.device().is_cuda()) return std::make_unique<GraphedUnet>(unet, adapter, *cudaState().services);
  return std::make_unique<FoldedUnet>(unet, adapter);
}

}  // namespace dan::dual
