#include "detect/draem_detector.h"

#include "core/random.h"
#include "detect/draem_loss.h"
#include "detect/initial_weights.h"

namespace dan::detect {

namespace {

std::unique_ptr<model::DraemNet> makeNet(const DetectorSettings& settings, const nn::Weights& weights) {
  const int64_t channels = settings.training.channels;
  const bool sspcab = settings.name == "draem-sspcab";
  return std::make_unique<model::DraemNet>(weights, model::DraemWidths{2 * channels, channels}, sspcab);
}

FitData withDefects(FitData data, bool flips) {
  if (!data.defects) data.defects = makeDefectSource({"draem", flips}, data.good, nullptr, {});
  return data;
}

}  // namespace

DraemDetector::DraemDetector(const DetectorSettings& settings, FitData data, at::Device device)
    : TrainedDetector(settings, withDefects(std::move(data), settings.training.flips), device) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(options().seed), at::kFloat, device);
  net_ = makeNet(settings, weights);
  drawDraemWeights(weights.taken(), weightsGenerator());
  train({{weights.taken()}});
}

DraemDetector::DraemDetector(const DetectorSettings& settings, const nn::Weights& weights)
    : TrainedDetector(settings, weights), net_(makeNet(settings, weights)) {
  keep(weights.taken());
}

Example DraemDetector::draw(Rng& rng) const {
  return rng.coin() ? drawGood(*data().good, options().flips, rng) : data().defects->draw(rng);
}

at::Tensor DraemDetector::loss(const std::vector<Example>& examples, Rng&) const {
  std::vector<at::Tensor> images, masks;
  for (const Example& example : examples) {
    images.push_back(example.image);
    masks.push_back(example.mask);
  }
  const at::Tensor batch = at::stack(images).to(device()).contiguous(at::MemoryFormat::ChannelsLast);
  const model::DraemNet::Output output = net_->forward(batch, /*training=*/true);
  const at::Tensor aim = reconstructionAim(examples, output.reconstruction.image);
  return draemLoss(output, aim, at::stack(masks).to(device()));
}

Scored DraemDetector::scoreBatch(const at::Tensor& images, const Task&) const {
  const at::Tensor maps = at::softmax(net_->forward(images).logits, 1).select(1, 1);
  return {maps, draemImageScores(maps)};
}

}  // namespace dan::detect
