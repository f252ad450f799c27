// Weights are recognised by the shapes of a few tensors, so that an error can say what a file holds.
#pragma once

#include <string>

#include "core/tensor_map.h"

namespace dan::model {

// Returns the name of the architecture that these weights look like. It is one of backboneNames() or the usual name of
// another network. Returns an empty string if the architecture is unknown.
std::string recognizeBackbone(const TensorMap& tensors);

}  // namespace dan::model
