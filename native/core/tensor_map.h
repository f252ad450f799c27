// Every weights file holds named tensors.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

namespace dan {

using TensorMap = std::map<std::string, at::Tensor>;

}  // namespace dan
