// This reads weights files of every format that the package supports.
#pragma once

#include <string>

#include "io/safetensors.h"

namespace dan::io {

// Reads safetensors or a torch.save file (zip or the older format). The content decides, not the name. Throws
// ERR_WEIGHTS_INVALID naming the file and the reason, or what the file is instead (a Git LFS pointer, an HTML page,
// ONNX, …), and ERR_FILE_ACCESS. Prefixes of wrappers are removed from the names. `wanted` sees the names in the file.
SafetensorsFile readWeightsFile(const std::string& path, const Wanted& wanted = {});

// Does the same but keeps the names in the file. An index of shards refers to those names.
SafetensorsFile readWeightsAsNamed(const std::string& path, const Wanted& wanted = {});

// Removes the prefixes that wrappers put before every name: "module." (DataParallel), "_orig_mod." (torch.compile),
// "model.", "net.", "state_dict." (training frameworks). A prefix that some name lacks belongs to the network and
// stays.
TensorMap withoutWrappers(TensorMap tensors);

}  // namespace dan::io
