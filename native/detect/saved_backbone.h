// A saved detector holds the weights of its backbone below the name "backbone".
#pragma once

#include <memory>
#include <string>

#include "model/backbone.h"
#include "nn/weights.h"

namespace dan::detect {

// Makes the backbone of a saved detector's weights.
std::unique_ptr<model::Backbone> takeBackbone(const std::string& name, const nn::Weights& weights);
// Returns the tensors, and those of the backbone.
TensorMap withBackbone(TensorMap tensors, const model::Backbone& backbone);
// Returns the tensors that do not belong to the backbone.
TensorMap withoutBackbone(const TensorMap& tensors);

}  // namespace dan::detect
