// What a checkpoint's tensors must be before training goes on from them.
#pragma once

#include <string>

#include "core/tensor_map.h"

namespace dan::train {

// Throws ERR_WEIGHTS_INVALID naming the file and a tensor that holds NaN or infinity.
void expectFinite(const TensorMap& tensors, const std::string& path);

// The one integer that a tensor holds. Throws ERR_WEIGHTS_INVALID where it is missing, anything else, or not in [0,
// most].
int64_t takeCount(const TensorMap& tensors, const std::string& name, int64_t most, const std::string& path);

// Indices of `count` images in some order, or none yet. Throws ERR_WEIGHTS_INVALID where it is anything else.
at::Tensor takeOrder(const TensorMap& tensors, const std::string& name, int64_t count, const std::string& path);

}  // namespace dan::train
