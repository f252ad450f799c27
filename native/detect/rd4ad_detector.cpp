#include "detect/rd4ad_detector.h"

#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "detect/batches.h"
#include "detect/kaiming_weights.h"
#include "detect/saved_backbone.h"
#include "detect/score_map.h"
#include "model/imagenet.h"

namespace dan::detect {

namespace {

constexpr double kRd4adSigma = 4;  // pixels
constexpr size_t kRd4adStages = 3;

}  // namespace

at::Tensor distillationLoss(const std::vector<at::Tensor>& stages, const std::vector<at::Tensor>& decoded) {
  at::Tensor loss = at::zeros({}, stages[0].options());
  for (size_t i = 0; i < stages.size(); ++i) {
    loss = loss + cosineDistance(stages[i].flatten(1), decoded[i].flatten(1)).mean();
  }
  return loss;
}

at::Tensor distillationMaps(const std::vector<at::Tensor>& stages, const std::vector<at::Tensor>& decoded,
                            int64_t height, int64_t width) {
  at::Tensor maps = at::zeros({stages[0].size(0), height, width}, stages[0].options());
  for (size_t i = 0; i < stages.size(); ++i) {
    maps += resizedMaps(cosineDistance(stages[i], decoded[i]), height, width, /*alignCorners=*/true);
  }
  return gaussianSmoothed(maps, kRd4adSigma);
}

Rd4adDetector::Rd4adDetector(const DetectorSettings& settings, FitData data, at::Device device)
    : TrainedDetector(settings, std::move(data), device),
      backbone_(model::readBackbone(settings.backbone, settings.backboneFile, device)) {
  expectSeveralImages(settings);
  const nn::Weights weights = nn::Weights::random(makeGenerator(options().seed), at::kFloat, device);
  makeNet(weights);
  drawKaimingWeights(weights.taken(), weightsGenerator());
  ParameterGroup group = {weights.taken()};
  group.adam.beta1 = 0.5;
  train({group});
}

Rd4adDetector::Rd4adDetector(const DetectorSettings& settings, const nn::Weights& weights)
    : TrainedDetector(settings, weights), backbone_(takeBackbone(settings.backbone, weights)) {
  makeNet(weights);
  keep(withoutBackbone(weights.taken()));
}

void Rd4adDetector::makeNet(const nn::Weights& weights) {
  std::vector<int64_t> channels = backbone_->channels();
  channels.resize(kRd4adStages);
  net_ = std::make_unique<model::ReverseDistillation>(
      weights, model::ReverseDistillationConfig::of(settings().backbone, channels));
}

std::vector<at::Tensor> Rd4adDetector::stages(const at::Tensor& images) const {
  const at::NoGradGuard noGrad;
  return backbone_->firstStages(model::normalizeForImagenet(images), kRd4adStages);
}

Example Rd4adDetector::draw(Rng& rng) const { return drawGood(*data().good, options().flips, rng); }

at::Tensor Rd4adDetector::loss(const std::vector<Example>& examples, Rng&) const {
  std::vector<at::Tensor> images;
  for (const Example& example : examples) images.push_back(example.image);
  const std::vector<at::Tensor> seen = stages(at::stack(images).to(device()));
  return distillationLoss(seen, net_->forward(seen, /*training=*/true));
}

double Rd4adDetector::learningRate(double) const { return options().learningRate; }

Scored Rd4adDetector::scoreBatch(const at::Tensor& images, const Task&) const {
  const std::vector<at::Tensor> seen = stages(images);
  const at::Tensor maps = distillationMaps(seen, net_->forward(seen), images.size(2), images.size(3));
  return {maps, maps.amax({1, 2})};
}

TensorMap Rd4adDetector::weights() const { return withBackbone(TrainedDetector::weights(), *backbone_); }

}  // namespace dan::detect
