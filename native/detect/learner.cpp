#include "detect/learner.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "train/checkpoint.h"

namespace dan::detect {

namespace {

constexpr double kDecay = 0.2, kFirstDecay = 0.8, kSecondDecay = 0.9;
// The weights and the losses have their own random streams of the seed; the examples use the streams from 0 on.
constexpr uint64_t kWeightsStream = ~0ULL, kFirstLossStream = 1ULL << 63;

// Makes the parameters among the tensors require gradients, and returns them.
TensorMap parametersOf(const TensorMap& tensors) {
  TensorMap parameters;
  for (const auto& [name, tensor] : tensors) {
    if (!isRunningStatistic(name)) parameters[name] = at::Tensor(tensor).requires_grad_();
  }
  return parameters;
}

}  // namespace

bool isRunningStatistic(const std::string& name) { return name.find("running_") != std::string::npos; }

at::Generator Learner::weightsGenerator() const { return makeGenerator(options_.seed, kWeightsStream); }

void Learner::train(const std::vector<ParameterGroup>& groups) {
  for (const ParameterGroup& group : groups) {
    for (const auto& [name, tensor] : group.tensors) tensors_[name] = tensor;
    optimizers_.push_back({train::AdamW(parametersOf(group.tensors), group.adam), group.learningRateFactor});
  }
}

void Learner::keep(const TensorMap& tensors) {
  tensors_ = tensors;
  // Some convolutions of libtorch round differently if a parameter requires gradients, even where none are computed.
  // The scores must be those of the network that was fitted.
  parametersOf(tensors);
  position_ = options_.iterations;
}

double Learner::learningRate(double done) const {
  double rate = options_.learningRate;
  if (done >= kFirstDecay) rate *= kDecay;
  if (done >= kSecondDecay) rate *= kDecay;
  return rate;
}

FitStep Learner::step(const Task& task) {
  RECORD_USER_SCOPE("learner step");
  task.checkCancelled();
  TensorMap statisticsBefore;  // The forward pass updates the running statistics, so we save them.
  for (const auto& [name, tensor] : tensors_) {
    if (isRunningStatistic(name)) statisticsBefore[name] = tensor.clone();
  }
  try {
    return tryStep();
  } catch (...) {
    for (Optimizer& optimizer : optimizers_) optimizer.adam.clearGradients();
    for (const auto& [name, tensor] : statisticsBefore) tensors_.at(name).copy_(tensor);
    throw;
  }
}

FitStep Learner::tryStep() {
  std::vector<Example> examples;
  for (int64_t i = 0; i < options_.batchSize; ++i) {
    Rng rng(makeGenerator(options_.seed, static_cast<uint64_t>(position_ * options_.batchSize + i)));
    examples.push_back(draw(rng));
  }
  Rng rng(makeGenerator(options_.seed, kFirstLossStream + static_cast<uint64_t>(position_)));
  const at::Tensor loss = this->loss(examples, rng);
  const double value = loss.item<double>();
  double gradNorm = 0;
  if (std::isfinite(value)) {
    loss.backward();
    gradNorm = update();
  }
  if (!std::isfinite(value) || !std::isfinite(gradNorm)) {
    fail(kNonFiniteLoss, "The loss of step ", position_ + 1, " is not finite (loss ", value, ", gradient norm ",
         gradNorm, "): lower the learning rate");
  }
  return {++position_, value};
}

double Learner::update() {
  // No group may be updated if the gradients of another one are not finite.
  std::vector<at::Tensor> norms;
  for (const auto& [name, tensor] : tensors_) {
    if (tensor.grad().defined()) norms.push_back(at::norm(tensor.grad()));
  }
  const double norm = norms.empty() ? 0.0 : at::norm(at::stack(norms)).item<double>();
  if (!std::isfinite(norm)) return norm;
  const double rate = learningRate(static_cast<double>(position_) / static_cast<double>(options_.iterations));
  const double gradientScale = std::max(1.0, norm / maxGradNorm());
  for (Optimizer& optimizer : optimizers_) optimizer.adam.step(rate * optimizer.learningRateFactor, gradientScale);
  return norm;
}

void Learner::saveCheckpoint(const std::string& path, const io::Metadata& settings) const {
  TensorMap tensors;
  for (const auto& [name, tensor] : tensors_) tensors["network/" + name] = tensor.detach();
  for (const Optimizer& optimizer : optimizers_) {
    for (const auto& [name, tensor] : optimizer.adam.state()) tensors["optimizer/" + name] = tensor;
  }
  tensors["position"] = at::full({1}, position_, at::kLong);
  io::writeSafetensors(path, tensors, settings);
}

void Learner::loadCheckpoint(const std::string& path) {
  const at::NoGradGuard noGrad;
  const io::SafetensorsFile file = io::readSafetensors(path);
  train::expectFiniteTensors(file.tensors, path);
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
  for (auto& [name, tensor] : tensors_) tensor.copy_(take("network/" + name, tensor.sizes()));
  for (Optimizer& optimizer : optimizers_) optimizer.adam.loadState(optimizerState, path);
  position_ = position;
}

}  // namespace dan::detect
