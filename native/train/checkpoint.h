// These functions check the tensors of a checkpoint before training resumes from them.
#pragma once

#include <string>

#include "core/tensor_map.h"

namespace dan::train {

// Throws ERR_WEIGHTS_INVALID naming the file and a tensor that holds NaN or infinity.
void expectFiniteTensors(const TensorMap& tensors, const std::string& path);

// Returns the single integer in a tensor. Throws ERR_WEIGHTS_INVALID if the tensor is missing, holds anything else, or
// lies outside [0, most].
int64_t takeCount(const TensorMap& tensors, const std::string& name, int64_t most, const std::string& path);

// Returns a permutation of `count` image indices, or an undefined tensor before the first epoch. Throws
// ERR_WEIGHTS_INVALID if the tensor is anything else.
at::Tensor takeOrder(const TensorMap& tensors, const std::string& name, int64_t count, const std::string& path);

}  // namespace dan::train
