#include "detect/supersimplenet_detector.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <string>

#include "core/random.h"
#include "detect/feature_noise.h"
#include "detect/saved_backbone.h"
#include "detect/supersimplenet_loss.h"
#include "model/imagenet.h"

namespace dan::detect {

namespace {

constexpr size_t kFineStage = 1, kCoarseStage = 2;
// The published deviation suits residual networks. The features of MobileNetV2 deviate by 0.4 to 0.5, and heads on them
// do not learn to see noise of the published deviation. They learn to see noise of 0.1 to 0.2.
constexpr double kNoiseDeviation = 0.015, kNoiseDeviationElsewhere = 0.2;
// Perlin noise above the threshold gives the places of the noise. The published values are for fits without and with
// defects.
constexpr double kThreshold = 0.2, kThresholdWithDefects = 0.6;
constexpr double kMaxGradNormWithDefects = 1;

std::unique_ptr<model::SuperSimpleNet> makeNet(const LearnerOptions& options, const model::Backbone& backbone,
                                               const nn::Weights& weights) {
  const auto& channels = backbone.channels();
  const int64_t width = options.channels;
  return std::make_unique<model::SuperSimpleNet>(
      weights, model::SuperSimpleWidths{channels[kFineStage] + channels[kCoarseStage], 16 * width, 2 * width});
}

double noiseDeviation(const std::string& backbone) {
  return backbone.find("resnet") != std::string::npos ? kNoiseDeviation : kNoiseDeviationElsewhere;
}

// Glorot's normal distribution, as published. Biases and norms keep their first values.
void drawWeights(const TensorMap& weights, at::Generator generator) {
  for (const auto& [name, weight] : weights) {
    if (weight.dim() < 2) continue;
    const double window = static_cast<double>(weight.numel() / (weight.size(0) * weight.size(1)));
    const double ways = window * static_cast<double>(weight.size(0) + weight.size(1));
    at::Tensor(weight).copy_(std::sqrt(2 / ways) * randn(weight.sizes(), generator));
  }
}

std::vector<ParameterGroup> groupsOf(const TensorMap& weights) {
  ParameterGroup adaptor, heads;
  adaptor.adam.weightDecay = 1e-2;
  heads.adam.weightDecay = 1e-5;
  heads.learningRateFactor = 2;
  for (const auto& [name, tensor] : weights) {
    (name.rfind("adaptor.", 0) == 0 ? adaptor : heads).tensors[name] = tensor;
  }
  return {adaptor, heads};
}

}  // namespace

SuperSimpleNetDetector::SuperSimpleNetDetector(const DetectorSettings& settings, FitData data, at::Device device)
    : TrainedDetector(settings, std::move(data), device),
      backbone_(model::readBackbone(settings.backbone, settings.backboneFile, device)) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(options().seed), at::kFloat, device);
  net_ = makeNet(options(), *backbone_, weights);
  drawWeights(weights.taken(), weightsGenerator());
  train(groupsOf(weights.taken()));
}

SuperSimpleNetDetector::SuperSimpleNetDetector(const DetectorSettings& settings, const nn::Weights& weights)
    : TrainedDetector(settings, weights),
      backbone_(takeBackbone(settings.backbone, weights)),
      net_(makeNet(options(), *backbone_, weights)) {
  keep(withoutBackbone(weights.taken()));
}

Example SuperSimpleNetDetector::draw(Rng& rng) const {
  if (data().defects && !rng.coin()) return data().defects->draw(rng);
  return drawGood(*data().good, options().flips, rng);
}

at::Tensor SuperSimpleNetDetector::features(const at::Tensor& images) const {
  const at::NoGradGuard noGrad;
  const auto stages = backbone_->firstStages(model::normalizeForImagenet(images), kCoarseStage + 1);
  return model::joinStages({stages[kFineStage], stages[kCoarseStage]});
}

at::Tensor SuperSimpleNetDetector::loss(const std::vector<Example>& examples, Rng& rng) const {
  std::vector<at::Tensor> images, masks;
  for (const Example& example : examples) {
    images.push_back(example.image);
    masks.push_back(example.mask);
  }
  const at::Tensor marked = at::stack(masks);
  const at::Tensor adapted = net_->adapt(features(at::stack(images).to(device())));
  const int64_t count = adapted.size(0), height = adapted.size(2), width = adapted.size(3);
  const LabelledFeatures given = {adapted, resizedMasks(marked, height, width).to(device()),
                                  marked.flatten(1).any(1).to(device(), at::kFloat)};
  const bool hasDefects = data().defects != nullptr;
  const at::Tensor places =
      drawNoisePlaces(2 * count, height, width, hasDefects ? kThresholdWithDefects : kThreshold, rng);
  const at::Tensor noise =
      noiseDeviation(settings().backbone) * rng.normal({2 * count, adapted.size(1), height, width});
  const LabelledFeatures noisy = withNoise(given, places.to(device()), noise.to(device()));
  const auto output = net_->forward(noisy.features, /*training=*/true, /*separateHeads=*/!hasDefects);
  return superSimpleLoss(output, noisy.masks, noisy.labels);
}

double SuperSimpleNetDetector::learningRate(double done) const {
  constexpr double kDecay = 0.4, kFirstDecay = 0.8, kSecondDecay = 0.9;
  return options().learningRate * (done >= kFirstDecay ? kDecay : 1) * (done >= kSecondDecay ? kDecay : 1);
}

double SuperSimpleNetDetector::maxGradNorm() const {
  return data().defects ? kMaxGradNormWithDefects : TrainedDetector::maxGradNorm();
}

Scored SuperSimpleNetDetector::scoreBatch(const at::Tensor& images, const Task&) const {
  const auto output = net_->forward(net_->adapt(features(images)));
  return {model::resizeSmoothly(output.map, images.size(2), images.size(3)), output.score};
}

TensorMap SuperSimpleNetDetector::weights() const { return withBackbone(TrainedDetector::weights(), *backbone_); }

}  // namespace dan::detect
