#include "detect/dra_detector.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "augment/crop_paste.h"
#include "core/random.h"
#include "detect/batches.h"
#include "detect/deviation_loss.h"
#include "detect/score_map.h"
#include "detect/trained_resnet.h"
#include "model/imagenet.h"

namespace dan::detect {

namespace {

constexpr double kDraDecay = 0.1, kDraDecays = 3;
constexpr double kDraWeightDecay = 1e-5, kDraMaxGradNorm = 1;
constexpr int64_t kReferenceImages = 5, kHeads = 4, kScales = 2;

std::string referenceName(int64_t scale) { return "reference." + std::to_string(scale); }

}  // namespace

Example pseudoDefect(const augment::PixelPool& good, bool flips, Rng& rng) {
  constexpr double kMinArea = 0.02, kMaxArea = 0.15, kMaxAspect = 3.3, kJitter = 0.1;
  const double area = rng.uniform(kMinArea, kMaxArea) * static_cast<double>(good.height * good.width);
  const double aspect = std::exp(rng.uniform(-std::log(kMaxAspect), std::log(kMaxAspect)));
  const auto side = [](double length, int64_t most) {
    return std::clamp<int64_t>(static_cast<int64_t>(std::lround(length)), 1, most);
  };
  const int64_t height = side(std::sqrt(area * aspect), good.height),
                width = side(std::sqrt(area / aspect), good.width);
  Example piece = {augment::randomPicture(good, rng), at::zeros({good.height, good.width}, at::kBool)};
  const int64_t top = rng.below(good.height - height + 1), left = rng.below(good.width - width + 1);
  piece.mask.narrow(0, top, height).narrow(1, left, width).fill_(true);
  piece.image = (piece.image * rng.uniform(1 - kJitter, 1 + kJitter)).clamp(0, 1);
  Example onto = drawGood(good, flips, rng);
  augment::cropPaste(piece, onto, rng);
  return onto;
}

DraDetector::DraDetector(const DetectorSettings& settings, FitData data, at::Device device)
    : TrainedDetector(settings, std::move(data), device) {
  expectSeveralImages(settings);
  const nn::Weights weights = nn::Weights::random(makeGenerator(options().seed), at::kFloat, device);
  net_ = std::make_unique<model::Dra>(weights, trainedResNetConfig(settings));
  startResNet(weights.taken(), settings, weightsGenerator());
  ParameterGroup group = {weights.taken()};
  group.adam.weightDecay = kDraWeightDecay;
  group.adam.decouplesDecay = false;
  train({group});
}

DraDetector::DraDetector(const DetectorSettings& settings, const nn::Weights& weights)
    : TrainedDetector(settings, weights) {
  const model::ResNetConfig config = trainedResNetConfig(settings);
  net_ = std::make_unique<model::Dra>(weights, config);
  for (int64_t scale = 0; scale < kScales; ++scale) {
    const at::IntArrayRef shape = weights.shapeOf(referenceName(scale));
    if (shape.size() != 4 || shape[0] != 1 || shape[1] != config.channels(model::ResNetConfig::kStages - 1)) {
      fail(kWeightsInvalid, "The detector's tensor ", referenceName(scale), " has the shape ", shape,
           ", which does not fit its backbone");
    }
    keptReferences_.push_back(weights.take(referenceName(scale), shape.vec()));
  }
  keep(weights.taken());
}

Example DraDetector::draw(Rng& rng) const {
  const augment::PixelPool& good = *data().good;
  const auto labelled = [](Example example, DraLabel label) {
    example.type = static_cast<int64_t>(label);
    return example;
  };
  if (rng.coin()) return labelled(drawGood(good, options().flips, rng), DraLabel::kGood);
  if (rng.coin()) return labelled(data().defects->draw(rng), DraLabel::kSeen);
  return labelled(pseudoDefect(good, options().flips, rng), DraLabel::kPseudo);
}

at::Tensor DraDetector::loss(const std::vector<Example>& examples, Rng& rng) const {
  std::vector<at::Tensor> images;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < kReferenceImages; ++i) images.push_back(drawGood(*data().good, options().flips, rng).image);
  for (const Example& example : examples) {
    images.push_back(example.image);
    labels.push_back(example.type);
  }
  const at::Tensor batch = model::normalizeForImagenet(at::stack(images).to(device()));
  std::vector<model::Dra::Scale> scales;
  for (const at::Tensor& features : net_->features(batch, /*training=*/true)) {
    scales.push_back(
        {features.slice(0, kReferenceImages), features.slice(0, 0, kReferenceImages).mean(0, /*keepdim=*/true)});
  }
  const model::DraScores scores = model::draScores(net_->heads(scales, /*training=*/true));
  return draLoss(scores, at::tensor(labels, at::kLong).to(device()),
                 rng.normal({kHeads, kReferenceScores}).to(device()));
}

double DraDetector::learningRate(double done) const {
  return options().learningRate * std::pow(kDraDecay, std::floor(kDraDecays * done));
}

double DraDetector::maxGradNorm() const { return kDraMaxGradNorm; }

FitStep DraDetector::step(const Task& task) {
  const FitStep done = TrainedDetector::step(task);
  keepReferences();
  return done;
}

void DraDetector::loadCheckpoint(const std::string& path) {
  TrainedDetector::loadCheckpoint(path);
  keepReferences();
}

void DraDetector::keepReferences() {
  keptReferences_.clear();
  if (position() == steps()) keptReferences_ = embedReferences();
}

std::vector<at::Tensor> DraDetector::references() const {
  return keptReferences_.empty() ? embedReferences() : keptReferences_;
}

std::vector<at::Tensor> DraDetector::embedReferences() const {
  const at::NoGradGuard noGrad;
  const augment::PixelPool& good = *data().good;
  std::vector<at::Tensor> images;  // spread over the pool
  for (int64_t i = 0; i < kReferenceImages; ++i) {
    images.push_back(augment::toPicture(good.images[static_cast<size_t>(i * good.size() / kReferenceImages)]));
  }
  std::vector<at::Tensor> references;
  for (const at::Tensor& features : net_->features(model::normalizeForImagenet(at::stack(images).to(device())))) {
    references.push_back(features.mean(0, /*keepdim=*/true));
  }
  return references;
}

Scored DraDetector::scoreBatch(const at::Tensor& images, const Task&) const {
  const std::vector<at::Tensor> features = net_->features(model::normalizeForImagenet(images)), known = references();
  std::vector<model::Dra::Scale> scales;
  for (size_t i = 0; i < features.size(); ++i) {
    if (features[i].sizes().slice(1) != known[i].sizes().slice(1)) {
      fail(kInvalidOption, "The detector dra scores images of the size of its good images, which is not ",
           images.size(2), " x ", images.size(3));
    }
    scales.push_back({features[i], known[i]});
  }
  const std::vector<model::Dra::Heads> heads = net_->heads(scales);
  std::vector<at::Tensor> maps;
  for (const model::Dra::Heads& scale : heads) maps.push_back(scale.seen + scale.pseudo + scale.residual);
  return {meanOfMaps(maps, images.size(2), images.size(3)), model::draScores(heads).total()};
}

TensorMap DraDetector::weights() const {
  TensorMap all = TrainedDetector::weights();
  const std::vector<at::Tensor> known = references();
  for (size_t i = 0; i < known.size(); ++i) all[referenceName(static_cast<int64_t>(i))] = known[i];
  return all;
}

}  // namespace dan::detect
