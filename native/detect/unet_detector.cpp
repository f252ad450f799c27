#include "detect/unet_detector.h"

#include "core/random.h"
#include "detect/initial_weights.h"
#include "metrics/generation.h"

namespace dan::detect {

UnetDetector::UnetDetector(const DetectorSettings& settings, FitData data, at::Device device)
    : TrainedDetector(settings, std::move(data), device) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(options().seed), at::kFloat, device);
  net_ = std::make_unique<model::LocalizationNet>(weights, options().channels);
  drawDraemWeights(weights.taken(), weightsGenerator());
  train({{weights.taken()}});
}

UnetDetector::UnetDetector(const DetectorSettings& settings, const nn::Weights& weights)
    : TrainedDetector(settings, weights), net_(std::make_unique<model::LocalizationNet>(weights, options().channels)) {
  keep(weights.taken());
}

Example UnetDetector::draw(Rng& rng) const {
  return rng.coin() ? drawGood(*data().good, options().flips, rng) : data().defects->draw(rng);
}

at::Tensor UnetDetector::loss(const std::vector<Example>& examples, Rng&) const {
  std::vector<at::Tensor> images, masks;
  for (const Example& example : examples) {
    images.push_back(example.image);
    masks.push_back(example.mask);
  }
  const at::Tensor batch = at::stack(images).to(device()).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor target = at::stack(masks).to(device(), at::kLong);
  return metrics::focalLoss(at::softmax(net_->forward(batch, /*training=*/true), 1), target);
}

Scored UnetDetector::scoreBatch(const at::Tensor& images, const Task&) const {
  return {at::softmax(net_->forward(images), 1).select(1, 1), {}};
}

}  // namespace dan::detect
