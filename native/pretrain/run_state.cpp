#include "pretrain/run_state.h"

#include <ATen/core/grad_mode.h>

#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "io/safetensors.h"
#include "train/checkpoint.h"

namespace dan::pretrain {

namespace {

constexpr double kDecay = 0.999;

void copyInto(const TensorMap& targets, const TensorMap& saved, const std::string& prefix, const std::string& path) {
  const at::NoGradGuard noGrad;
  for (const auto& [name, target] : targets) {
    const auto found = saved.find(prefix + name);
    if (found == saved.end() || found->second.sizes() != target.sizes()) {
      fail(kCheckpointMismatch, path, " has no ", prefix, name, " of shape ", target.sizes(),
           ". It belongs to a model of another shape: remove it to start afresh");
    }
    at::Tensor(target).copy_(found->second);
  }
}

}  // namespace

RunState::RunState(const TensorMap& parameters, train::AdamW& optimizer, uint64_t seed)
    : parameters_(parameters), optimizer_(optimizer), generator_(makeGenerator(seed, 3)) {
  for (const auto& [name, tensor] : parameters_) averages_[name] = tensor.detach().clone();
}

void RunState::advance() {
  const at::NoGradGuard noGrad;
  const auto steps = static_cast<double>(step_);
  const double decay = std::min(kDecay, (1 + steps) / (10 + steps));
  for (auto& [name, average] : averages_) average.lerp_(parameters_.at(name), 1 - decay);
  ++step_;
}

void RunState::save(const std::string& path) const {
  TensorMap tensors;
  for (const auto& [name, tensor] : parameters_) tensors["parameter/" + name] = tensor.detach();
  for (const auto& [name, tensor] : averages_) tensors["average/" + name] = tensor;
  for (const auto& [name, tensor] : optimizer_.state()) tensors["optimizer/" + name] = tensor;
  tensors["random_state"] = generatorState(generator_);
  tensors["step"] = at::full({1}, step_, at::kLong);
  io::writeSafetensors(path, tensors);
}

void RunState::load(const std::string& path) {
  const TensorMap tensors = io::readSafetensors(path).tensors;
  train::expectFiniteTensors(tensors, path);
  TensorMap optimizer;
  for (const auto& [name, tensor] : tensors) {
    if (name.rfind("optimizer/", 0) == 0) optimizer[name.substr(10)] = tensor;
  }
  if (tensors.count("random_state") == 0) fail(kWeightsInvalid, path, " is not a checkpoint: it lacks random_state");
  copyInto(parameters_, tensors, "parameter/", path);
  copyInto(averages_, tensors, "average/", path);
  optimizer_.loadState(optimizer, path);
  setGeneratorState(generator_, tensors.at("random_state").clone());
  step_ = train::takeCount(tensors, "step", std::numeric_limits<int64_t>::max(), path);
}

}  // namespace dan::pretrain
