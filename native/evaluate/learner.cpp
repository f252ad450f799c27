#include "evaluate/learner.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include <cmath>

#include "core/finite.h"
#include "core/random.h"
#include "train/checkpoint.h"

namespace dan::evaluate {

namespace {

constexpr double kDecay = 0.2, kFirstDecay = 0.8, kSecondDecay = 0.9;
// The weights have their own random stream of the seed; the examples use the streams from 0 on.
constexpr uint64_t kWeightsStream = ~0ULL;

}  // namespace

bool isRunningStatistic(const std::string& name) { return name.find("running_") != std::string::npos; }

at::Generator Learner::weightsGenerator() const { return makeGenerator(options_.seed, kWeightsStream); }

void Learner::train(const TensorMap& weights) {
  weights_ = weights;
  TensorMap parameters;
  for (auto& [name, tensor] : weights_) {
    if (!isRunningStatistic(name)) parameters[name] = tensor.requires_grad_();
  }
  optimizer_ = std::make_unique<train::AdamW>(parameters, train::AdamWOptions{0.9, 0.999, 0, 1e-8, 0});
}

double Learner::learningRate() const {
  const double done = static_cast<double>(position_) / static_cast<double>(options_.iterations);
  double rate = options_.learningRate;
  if (done >= kFirstDecay) rate *= kDecay;
  if (done >= kSecondDecay) rate *= kDecay;
  return rate;
}

LearnerStep Learner::step(const Task& task) {
  RECORD_USER_SCOPE("evaluation step");
  task.checkCancelled();
  TensorMap statisticsBefore;  // The forward pass updates the running statistics, so we save them.
  for (const auto& [name, tensor] : weights_) {
    if (isRunningStatistic(name)) statisticsBefore[name] = tensor.clone();
  }
  try {
    return tryStep();
  } catch (...) {
    optimizer_->clearGradients();
    for (const auto& [name, tensor] : statisticsBefore) weights_.at(name).copy_(tensor);
    throw;
  }
}

LearnerStep Learner::tryStep() {
  std::vector<Example> examples;
  for (int64_t i = 0; i < options_.batchSize; ++i) {
    Rng rng(makeGenerator(options_.seed, static_cast<uint64_t>(position_ * options_.batchSize + i)));
    examples.push_back(draw(rng));
  }
  const at::Tensor loss = this->loss(examples);
  const double value = loss.item<double>();
  double gradNorm = 0;
  if (std::isfinite(value)) {
    loss.backward();
    gradNorm = optimizer_->step(learningRate());
  }
  if (!std::isfinite(value) || !std::isfinite(gradNorm)) {
    fail(kNonFiniteLoss, "The loss of step ", position_ + 1, " is not finite (loss ", value, ", gradient norm ",
         gradNorm, "): lower the learning rate");
  }
  return {++position_, value};
}

at::Tensor Learner::predict(const at::Tensor& images, const Task& task) const {
  RECORD_USER_SCOPE("evaluation test");
  const at::NoGradGuard noGrad;
  std::vector<at::Tensor> outputs;
  for (int64_t from = 0; from < images.size(0); from += options_.batchSize) {
    task.checkCancelled();
    const int64_t count = std::min(options_.batchSize, images.size(0) - from);
    const at::Tensor batch = images.narrow(0, from, count).permute({0, 3, 1, 2}).to(device_, at::kFloat) / 255;
    outputs.push_back(probabilities(batch).cpu());
  }
  const at::Tensor all = at::cat(outputs);
  expectFinite(all, "The evaluation's network");
  return all;
}

void Learner::saveCheckpoint(const std::string& path, const io::Metadata& settings) const {
  TensorMap tensors;
  for (const auto& [name, tensor] : weights_) tensors["network/" + name] = tensor.detach();
  for (const auto& [name, tensor] : optimizer_->state()) tensors["optimizer/" + name] = tensor;
  tensors["position"] = at::full({1}, position_, at::kLong);
  io::writeSafetensors(path, tensors, settings);
}

void Learner::loadCheckpoint(const std::string& path) {
  const at::NoGradGuard noGrad;
  const io::SafetensorsFile file = io::readSafetensors(path);
  train::expectFinite(file.tensors, path);
  const int64_t position = train::takeCount(file.tensors, "position", options_.iterations, path);
  TensorMap optimizerState;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.rfind("optimizer/", 0) == 0) optimizerState[name.substr(10)] = tensor;
  }
  const auto take = [&](const std::string& name, at::IntArrayRef shape) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end() || found->second.sizes() != shape) {
      fail(kCheckpointMismatch, path, " is not this network's checkpoint: it lacks ", name, " of shape ", shape);
    }
    return found->second;
  };
  for (auto& [name, tensor] : weights_) tensor.copy_(take("network/" + name, tensor.sizes()));
  optimizer_->loadState(optimizerState, path);
  position_ = position;
}

}  // namespace dan::evaluate
