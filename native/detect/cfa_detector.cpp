#include "detect/cfa_detector.h"

#include <ATen/core/grad_mode.h>

#include <numeric>

#include "core/random.h"
#include "detect/cfa_loss.h"
#include "detect/saved_backbone.h"
#include "detect/score_map.h"
#include "model/imagenet.h"

namespace dan::detect {

namespace {

constexpr double kCfaWeightDecay = 5e-4, kFirstRadius = 1e-5, kCfaSigma = 4;
constexpr size_t kCfaStages = 3;
constexpr const char* kDescriptor = "descriptor.layer.conv2d";
constexpr const char* kMemory = "running_memory";  // Like a running statistic it is not trained.
constexpr const char* kRadius = "radius";

int64_t cfaChannels(const model::Backbone& backbone) {
  const std::vector<int64_t>& channels = backbone.channels();
  return std::accumulate(channels.begin(), channels.begin() + kCfaStages, int64_t{0});
}

}  // namespace

CfaDetector::CfaDetector(const DetectorSettings& settings, FitData data, at::Device device)
    : TrainedDetector(settings, std::move(data), device),
      backbone_(model::readBackbone(settings.backbone, settings.backboneFile, device)) {
  const augment::PixelPool& good = *this->data().good;
  const at::Tensor found = patches(augment::toPicture(good.images[0]).unsqueeze(0).to(device));
  const nn::Weights weights = nn::Weights::random(weightsGenerator(), at::kFloat, device);
  descriptor_ = std::make_unique<model::CfaDescriptor>(weights.scope(kDescriptor), found.size(1));
  memory_ = weights.take(kMemory, {found.size(2) * found.size(3), found.size(1)});
  radius_ = weights.take(kRadius, {1}).fill_(kFirstRadius);
  ParameterGroup group = {weights.taken()};
  group.adam.weightDecay = kCfaWeightDecay;
  train({group});
}

CfaDetector::CfaDetector(const DetectorSettings& settings, const nn::Weights& weights)
    : TrainedDetector(settings, weights), backbone_(takeBackbone(settings.backbone, weights)) {
  const int64_t channels = cfaChannels(*backbone_);
  const at::IntArrayRef shape = weights.shapeOf(kMemory);
  descriptor_ = std::make_unique<model::CfaDescriptor>(weights.scope(kDescriptor), channels);
  memory_ = weights.take(kMemory, {shape.empty() ? 0 : shape[0], channels});
  radius_ = weights.take(kRadius, {1});
  if (memory_.size(0) < kCfaNearest) fail(kWeightsInvalid, "The detector's memory has ", memory_.size(0), " places");
  keep(withoutBackbone(weights.taken()));
}

at::Tensor CfaDetector::patches(const at::Tensor& images) const {
  const at::NoGradGuard noGrad;
  const std::vector<at::Tensor> stages = backbone_->firstStages(model::normalizeForImagenet(images), kCfaStages);
  return model::joinedPatches(stages);
}

at::Tensor CfaDetector::places(const at::Tensor& features) {
  return features.permute({0, 2, 3, 1}).reshape({-1, features.size(1)});
}

void CfaDetector::buildMemory(const Task& task) {
  const at::NoGradGuard noGrad;
  at::Tensor sum = at::zeros_like(memory_);
  for (const at::Tensor& image : data().good->images) {
    task.checkCancelled();
    sum += places(descriptor_->forward(patches(augment::toPicture(image).unsqueeze(0).to(device()))));
  }
  memory_.copy_(sum / static_cast<double>(data().good->size()));
}

FitStep CfaDetector::step(const Task& task) {
  if (position() == 0) buildMemory(task);
  return TrainedDetector::step(task);
}

Example CfaDetector::draw(Rng& rng) const { return drawGood(*data().good, options().flips, rng); }

at::Tensor CfaDetector::loss(const std::vector<Example>& examples, Rng&) const {
  std::vector<at::Tensor> images;
  for (const Example& example : examples) images.push_back(example.image);
  const at::Tensor features = places(descriptor_->forward(patches(at::stack(images).to(device()))));
  return cfaLoss(nearestDistances(features, memory_, kCfaNearest + kCfaHardNegatives), radius_);
}

double CfaDetector::learningRate(double) const { return options().learningRate; }

Scored CfaDetector::scoreBatch(const at::Tensor& images, const Task& task) const {
  std::vector<at::Tensor> maps;
  for (const at::Tensor& image : images.split(1)) {
    task.checkCancelled();
    const at::Tensor features = descriptor_->forward(patches(image));
    const at::Tensor scores = cfaPlaceScores(nearestDistances(places(features), memory_, kCfaNearest));
    maps.push_back(resizedMaps(scores.view({1, features.size(2), features.size(3)}), images.size(2), images.size(3)));
  }
  const at::Tensor smooth = gaussianSmoothed(at::cat(maps), kCfaSigma);
  return {smooth, smooth.amax({1, 2})};
}

TensorMap CfaDetector::weights() const { return withBackbone(TrainedDetector::weights(), *backbone_); }

}  // namespace dan::detect
