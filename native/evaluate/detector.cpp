#include "evaluate/detector.h"

#include "core/random.h"
#include "metrics/generation.h"

namespace dan::evaluate {

namespace {

constexpr double kInitialDeviation = 0.02;  // It applies to kernels and to the gains of norms.

void initialize(const TensorMap& weights, at::Generator generator) {
  for (const auto& [name, weight] : weights) {
    at::Tensor tensor = weight;
    const bool kernel = tensor.dim() == 4, gain = tensor.dim() == 1 && name.find("weight") != std::string::npos;
    if (kernel || gain) {
      tensor.copy_(kInitialDeviation * randn(tensor.sizes(), generator) + (gain ? 1.0 : 0.0));
    } else {
      tensor.fill_(name.find("running_var") != std::string::npos ? 1.0 : 0.0);
    }
  }
}

}  // namespace

Detector::Detector(LearnerOptions options, augment::Pool good, std::unique_ptr<DefectSource> defects, at::Device device)
    : Learner(options, device), good_(std::move(good)), defects_(std::move(defects)) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(options.seed), at::kFloat, device);
  net_ = std::make_unique<model::LocalizationNet>(weights, options.channels);
  initialize(weights.taken(), weightsGenerator());
  train(weights.taken());
}

Example Detector::draw(Rng& rng) const {
  if (!rng.coin()) return defects_->draw(rng);
  Example example = {augment::randomPicture(*good_, rng), at::zeros({good_->height, good_->width}, at::kBool)};
  return options().flips ? flipped(std::move(example), rng) : example;
}

at::Tensor Detector::loss(const std::vector<Example>& examples) const {
  std::vector<at::Tensor> images, masks;
  for (const Example& example : examples) {
    images.push_back(example.image);
    masks.push_back(example.mask);
  }
  const at::Tensor batch = at::stack(images).to(device()).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor target = at::stack(masks).to(device(), at::kLong);
  return metrics::focalLoss(at::softmax(net_->forward(batch, /*training=*/true), 1), target);
}

at::Tensor Detector::probabilities(const at::Tensor& images) const {
  return at::softmax(net_->forward(images), 1).select(1, 1);
}

}  // namespace dan::evaluate
