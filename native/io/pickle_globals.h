// A state dict may refer to these names. The reader refuses all other names, and never calls any function.
#pragma once

#include <ATen/ATen.h>

#include <string_view>

namespace dan::io {

// Globals are written as in the pickle: module, newline, name.
inline constexpr std::string_view kOrderedDict = "collections\nOrderedDict";
inline constexpr std::string_view kRebuildTensor = "torch._utils\n_rebuild_tensor_v2";
inline constexpr std::string_view kRebuildParameter = "torch._utils\n_rebuild_parameter";

bool isStorageType(std::string_view global);
// Returns the dtype of a storage type.
at::ScalarType dtypeOfStorage(std::string_view global);

// Returns true for classes that training frameworks store beside the weights. The reader replaces their objects by
// None.
bool isIgnoredGlobal(std::string_view global);
// Returns true if a state dict may contain the name, even if the reader ignores it.
bool isAllowedGlobal(std::string_view global);

}  // namespace dan::io
