#include "detect/saved_backbone.h"

#include "core/text.h"

namespace dan::detect {

namespace {

const std::string kScope = "backbone", kPrefix = kScope + ".";

}  // namespace

std::unique_ptr<model::Backbone> takeBackbone(const std::string& name, const nn::Weights& weights) {
  return model::makeBackbone(name, weights.scope(kScope));
}

TensorMap withBackbone(TensorMap tensors, const model::Backbone& backbone) {
  for (const auto& [name, tensor] : backbone.tensors()) tensors[kPrefix + name] = tensor;
  return tensors;
}

TensorMap withoutBackbone(const TensorMap& tensors) {
  TensorMap rest;
  for (const auto& [name, tensor] : tensors) {
    if (!startsWith(name, kPrefix)) rest[name] = tensor;
  }
  return rest;
}

}  // namespace dan::detect
