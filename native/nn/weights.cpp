#include "nn/weights.h"

#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "nn/convert_in_place.h"
#include "ops/frozen.h"

namespace dan::nn {

struct Weights::State {
  TensorMap tensors;
  std::string source;
  at::ScalarType dtype;
  at::Device device;
  Held held;
  std::optional<at::ScalarType> storedAs;  // the dtype of drawn parameters
  std::optional<at::Generator> generator;  // if set, parameters are drawn, not read
  TensorMap taken;
};

namespace {

at::Tensor drawParameter(std::string_view name, at::IntArrayRef shape, const at::Generator& generator) {
  at::Tensor value = at::zeros(shape, at::kFloat);
  if (shape.size() >= 2) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(value.numel() / shape[0]));
    value.uniform_(-bound, bound, generator);
  } else if (endsWith(name, "weight") || endsWith(name, "running_var")) {
    value.fill_(1.0);
  }
  return value;
}

}  // namespace

Weights::Weights(std::shared_ptr<State> state, std::string prefix)
    : state_(std::move(state)), prefix_(std::move(prefix)) {}

Weights Weights::fromTensors(TensorMap tensors, std::string source, at::ScalarType dtype, at::Device device,
                             Held held) {
  State state{std::move(tensors), std::move(source), dtype, device, held, std::nullopt, std::nullopt, {}};
  return Weights(std::make_shared<State>(std::move(state)), "");
}

Weights Weights::random(at::Generator generator, at::ScalarType dtype, at::Device device,
                        std::optional<at::ScalarType> storedAs) {
  const Held held = storedAs ? Held::kAsStored : Held::kConverted;
  State state{{}, "random weights", dtype, device, held, storedAs, std::move(generator), {}};
  return Weights(std::make_shared<State>(std::move(state)), "");
}

at::ScalarType Weights::dtype() const { return state_->dtype; }

at::Device Weights::device() const { return state_->device; }

Weights Weights::scope(std::string_view name) const { return Weights(state_, prefix_ + std::string(name) + "."); }

at::Tensor Weights::take(std::string_view name, at::IntArrayRef shape) const {
  const std::string full = prefix_ + std::string(name);
  at::Tensor value;
  if (state_->generator) {
    value = drawParameter(full, shape, *state_->generator);
  } else {
    const auto found = state_->tensors.find(full);
    if (found == state_->tensors.end()) {
      fail(kWeightsInvalid, state_->source, " lacks the tensor ", full, " of shape ", shape);
    }
    value = found->second;
    if (value.sizes() != shape) {
      fail(kWeightsInvalid, state_->source, ": expected shape ", shape, " for ", full, " but the file has ",
           value.sizes());
    }
    if (!value.is_floating_point()) {  // quantized weights need scales that we do not read
      fail(kWeightsInvalid, state_->source, ": ", full, " holds ", value.dtype(), ", not numbers: weights that are ",
           "quantized are not read");
    }
  }
  if (state_->storedAs && shape.size() >= 2) value = value.to(*state_->storedAs);
  const bool isRead =
      value.scalar_type() == at::kHalf || value.scalar_type() == at::kBFloat16 || value.scalar_type() == at::kFloat;
  if (state_->held == Held::kConverted || shape.size() < 2 || !isRead ||
      !ops::readsStoredWeights(state_->device, state_->dtype)) {
    constexpr size_t kOwners = 2;  // these are `value` and the map
    if (!state_->generator && state_->device.is_cpu() && canConvertInPlace(value, state_->dtype, kOwners)) {
      value = convertInPlace(value, state_->dtype);
    } else {
      value = value.to(state_->device, state_->dtype);
      // The convolutions run in channels-last, so the kernels have that layout too.
      if (value.dim() == 4) value = value.contiguous(at::MemoryFormat::ChannelsLast);
    }
    if (!state_->generator) state_->tensors[full] = value;  // the tensor that was read is no longer needed
  }
  state_->taken[full] = value;
  return value;
}

at::IntArrayRef Weights::shapeOf(std::string_view name) const {
  const std::string full = prefix_ + std::string(name);
  const auto found = state_->tensors.find(full);
  if (found == state_->tensors.end()) fail(kWeightsInvalid, state_->source, " lacks the tensor ", full);
  return found->second.sizes();
}

bool Weights::has(std::string_view name) const { return state_->tensors.count(prefix_ + std::string(name)) > 0; }

void Weights::expectAllTaken(std::initializer_list<std::string_view> ignoredEndings) const {
  size_t unexpected = 0;
  std::string examples;
  for (const auto& [name, tensor] : state_->tensors) {
    if (name.compare(0, prefix_.size(), prefix_) != 0 || state_->taken.count(name) > 0) continue;
    bool ignored = false;
    for (const std::string_view ending : ignoredEndings) ignored = ignored || endsWith(name, ending);
    if (ignored) continue;
    if (++unexpected <= 5) examples += (unexpected == 1 ? "" : ", ") + name;
  }
  if (unexpected > 0) {
    fail(kWeightsInvalid, state_->source, " has ", unexpected, " tensors that this model does not have: ", examples,
         unexpected > 5 ? ", …" : "");
  }
}

const TensorMap& Weights::taken() const { return state_->taken; }

TensorMap Weights::takenHere() const {
  TensorMap here;
  for (const auto& [name, tensor] : state_->taken) {
    if (startsWith(name, prefix_)) here[name.substr(prefix_.size())] = tensor;
  }
  return here;
}

}  // namespace dan::nn
