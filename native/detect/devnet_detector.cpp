#include "detect/devnet_detector.h"

#include <cmath>

#include "core/random.h"
#include "detect/batches.h"
#include "detect/deviation_loss.h"
#include "detect/score_map.h"
#include "detect/trained_resnet.h"
#include "model/imagenet.h"

namespace dan::detect {

namespace {

constexpr double kDevNetDecay = 0.1, kDevNetDecays = 5;
constexpr double kDevNetWeightDecay = 1e-5, kDevNetMaxGradNorm = 1;

}  // namespace

DevnetDetector::DevnetDetector(const DetectorSettings& settings, FitData data, at::Device device)
    : TrainedDetector(settings, std::move(data), device) {
  expectSeveralImages(settings);
  const nn::Weights weights = nn::Weights::random(makeGenerator(options().seed), at::kFloat, device);
  net_ = std::make_unique<model::DevNet>(weights, trainedResNetConfig(settings));
  startResNet(weights.taken(), settings, weightsGenerator());
  ParameterGroup group = {weights.taken()};
  group.adam.weightDecay = kDevNetWeightDecay;
  group.adam.decouplesDecay = false;
  train({group});
}

DevnetDetector::DevnetDetector(const DetectorSettings& settings, const nn::Weights& weights)
    : TrainedDetector(settings, weights),
      net_(std::make_unique<model::DevNet>(weights, trainedResNetConfig(settings))) {
  keep(weights.taken());
}

Example DevnetDetector::draw(Rng& rng) const {
  return rng.coin() ? drawGood(*data().good, options().flips, rng) : data().defects->draw(rng);
}

at::Tensor DevnetDetector::loss(const std::vector<Example>& examples, Rng& rng) const {
  std::vector<at::Tensor> images;
  std::vector<double> labels;
  for (const Example& example : examples) {
    images.push_back(example.image);
    labels.push_back(example.mask.any().item<bool>() ? 1 : 0);
  }
  const at::Tensor batch = model::normalizeForImagenet(at::stack(images).to(device()));
  const at::Tensor scores = model::DevNet::scores(net_->forward(batch, /*training=*/true));
  return deviationLoss(scores, at::tensor(labels, scores.options()), rng.normal({kReferenceScores}).to(device()));
}

double DevnetDetector::learningRate(double done) const {
  return options().learningRate * std::pow(kDevNetDecay, std::floor(kDevNetDecays * done));
}

double DevnetDetector::maxGradNorm() const { return kDevNetMaxGradNorm; }

Scored DevnetDetector::scoreBatch(const at::Tensor& images, const Task&) const {
  const std::vector<at::Tensor> maps = net_->forward(model::normalizeForImagenet(images));
  return {meanOfMaps(maps, images.size(2), images.size(3)), model::DevNet::scores(maps)};
}

}  // namespace dan::detect
