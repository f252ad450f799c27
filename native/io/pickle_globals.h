// The names that a state dict may refer to. Nothing is ever called or made by any other.
#pragma once

#include <ATen/ATen.h>

#include <string_view>

namespace dan::io {

// Globals are written as in the pickle: module, end of line, name.
inline constexpr std::string_view kOrderedDict = "collections\nOrderedDict";
inline constexpr std::string_view kRebuildTensor = "torch._utils\n_rebuild_tensor_v2";
inline constexpr std::string_view kRebuildParameter = "torch._utils\n_rebuild_parameter";

bool isStorageType(std::string_view global);
// Of a storage type.
at::ScalarType dtypeOfStorage(std::string_view global);

// What training frameworks leave in their checkpoints beside the weights. A call of one gives None.
bool isIgnoredGlobal(std::string_view global);
// Whether a state dict has a use for it, or it is ignored.
bool isAllowedGlobal(std::string_view global);

}  // namespace dan::io
