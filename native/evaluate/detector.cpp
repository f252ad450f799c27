#include "evaluate/detector.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/random.h"
#include "metrics/generation.h"

namespace dan::evaluate {

namespace {

constexpr double kInitialDeviation = 0.02;  // of kernels and of the norms' gains
constexpr double kDecay = 0.2, kFirstDecay = 0.8, kSecondDecay = 0.9;
constexpr uint64_t kWeightsStream = ~0ULL;  // of the seed; the examples have those from 0 on

bool isStatistic(const std::string& name) { return name.find("running_") != std::string::npos; }

TensorMap trainable(const TensorMap& weights) {
  TensorMap parameters;
  for (const auto& [name, tensor] : weights) {
    if (!isStatistic(name)) parameters[name] = tensor;
  }
  return parameters;
}

void initialize(TensorMap& weights, at::Generator generator) {
  const at::NoGradGuard noGrad;
  for (auto& [name, tensor] : weights) {
    const bool kernel = tensor.dim() == 4, gain = tensor.dim() == 1 && name.find("weight") != std::string::npos;
    if (kernel || gain) {
      tensor.copy_(kInitialDeviation * randn(tensor.sizes(), generator) + (gain ? 1.0 : 0.0));
    } else {
      tensor.fill_(name.find("running_var") != std::string::npos ? 1.0 : 0.0);
    }
    if (!isStatistic(name)) tensor.requires_grad_();
  }
}

}  // namespace

Detector::Detector(DetectorOptions options, Pool good, std::unique_ptr<DefectSource> defects, at::Device device)
    : options_(options), good_(std::move(good)), defects_(std::move(defects)), device_(device) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(options_.seed), at::kFloat, device_);
  net_ = std::make_unique<model::LocalizationNet>(weights, options_.channels);
  weights_ = weights.taken();
  initialize(weights_, makeGenerator(options_.seed, kWeightsStream));
  optimizer_ = std::make_unique<train::AdamW>(trainable(weights_), train::AdamWOptions{0.9, 0.999, 0, 1e-8, 0});
}

double Detector::learningRate() const {
  const double done = static_cast<double>(position_) / static_cast<double>(options_.iterations);
  double rate = options_.learningRate;
  if (done >= kFirstDecay) rate *= kDecay;
  if (done >= kSecondDecay) rate *= kDecay;
  return rate;
}

DetectorStep Detector::step(const Task& task) {
  task.checkCancelled();
  std::vector<at::Tensor> images, masks;
  for (int64_t i = 0; i < options_.batchSize; ++i) {
    Draw draw(makeGenerator(options_.seed, static_cast<uint64_t>(position_ * options_.batchSize + i)));
    Example example;
    if (draw.coin()) {
      example = {drawPicture(*good_, draw), at::zeros({good_->height, good_->width}, at::kBool)};
      if (options_.flips) example = flipped(std::move(example), draw);
    } else {
      example = defects_->draw(draw);
    }
    images.push_back(example.image);
    masks.push_back(example.mask);
  }
  const at::Tensor batch = at::stack(images).to(device_).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor target = at::stack(masks).to(device_, at::kLong);
  const at::Tensor probability = at::softmax(net_->forward(batch, /*training=*/true), 1);
  const at::Tensor loss = metrics::focalLoss(probability, target);
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    fail(kNonFiniteLoss, "The detector's loss is not finite at step ", position_ + 1, ": lower its learning rate");
  }
  loss.backward();
  optimizer_->step(learningRate());
  return {++position_, value};
}

at::Tensor Detector::predict(const at::Tensor& images, const Task& task) const {
  const at::NoGradGuard noGrad;
  std::vector<at::Tensor> maps;
  for (int64_t from = 0; from < images.size(0); from += options_.batchSize) {
    task.checkCancelled();
    const int64_t count = std::min(options_.batchSize, images.size(0) - from);
    const at::Tensor batch = images.narrow(0, from, count).permute({0, 3, 1, 2}).to(device_, at::kFloat) / 255;
    maps.push_back(at::softmax(net_->forward(batch), 1).select(1, 1).cpu());
  }
  return at::cat(maps);
}

void Detector::saveCheckpoint(const std::string& path, const io::Metadata& settings) const {
  TensorMap tensors;
  for (const auto& [name, tensor] : weights_) tensors["network/" + name] = tensor.detach();
  for (const auto& [name, tensor] : optimizer_->state()) tensors["optimizer/" + name] = tensor;
  tensors["position"] = at::full({1}, position_, at::kLong);
  io::writeSafetensors(path, tensors, settings);
}

void Detector::loadCheckpoint(const std::string& path) {
  const at::NoGradGuard noGrad;
  const io::SafetensorsFile file = io::readSafetensors(path);
  TensorMap optimizerState;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.rfind("optimizer/", 0) == 0) optimizerState[name.substr(10)] = tensor;
  }
  const auto take = [&](const std::string& name, at::IntArrayRef shape) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end() || found->second.sizes() != shape) {
      fail(kCheckpointMismatch, path, " is not this detector's checkpoint: it lacks ", name, " of shape ", shape);
    }
    return found->second;
  };
  for (auto& [name, tensor] : weights_) tensor.copy_(take("network/" + name, tensor.sizes()));
  optimizer_->loadState(optimizerState, path);
  position_ = take("position", {1}).item<int64_t>();
}

}  // namespace dan::evaluate
