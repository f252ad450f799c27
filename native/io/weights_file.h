// Weights files of any format that the package reads.
#pragma once

#include <string>

#include "io/safetensors.h"

namespace dan::io {

// Safetensors or what torch.save writes (zip or the older format), told by content, not by name. Throws
// ERR_WEIGHTS_INVALID naming the file and the reason, or what it is instead (a Git LFS pointer, an HTML page, ONNX, …);
// ERR_FILE_ACCESS. Prefixes of wrappers are taken off the names; `wanted` sees the names in the file.
SafetensorsFile readWeightsFile(const std::string& path, const Wanted& wanted = {});

// The same with the names as they are in the file: a shard's, which an index refers to.
SafetensorsFile readWeightsAsNamed(const std::string& path, const Wanted& wanted = {});

// Without what wrappers put before every name: "module." (DataParallel), "_orig_mod." (torch.compile), "model.",
// "net.", "state_dict." (training frameworks). A prefix that some name lacks belongs to the network and stays.
TensorMap withoutWrappers(TensorMap tensors);

}  // namespace dan::io
