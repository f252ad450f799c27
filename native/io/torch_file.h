// This reads files of torch.save: a zip archive of stored records, or the older format. Nothing in the file is
// executed.
#pragma once

#include <string>

#include "core/tensor_map.h"
#include "io/safetensors.h"

namespace dan::io {

// Returns the tensors of a dict, which may lie below "state_dict" or a similar key. Each has its own memory, except for
// those that share it in the file. Throws ERR_WEIGHTS_INVALID or ERR_FILE_ACCESS naming the file and the reason.
TensorMap readTorchFile(const std::string& path);
TensorMap readTorchFile(const InputFile& file, const Wanted& wanted = {});

}  // namespace dan::io
