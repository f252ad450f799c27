// Weights files of any format that the package reads.
#pragma once

#include <string>

#include "io/safetensors.h"

namespace dan::io {

// `.safetensors` by its name; anything else as what torch.save writes (zip or legacy). Throws ERR_WEIGHTS_INVALID or
// ERR_FILE_ACCESS naming the file and the reason.
SafetensorsFile readWeightsFile(const std::string& path);

// The tensors of a torch.save file: a dict of tensors, or one under "state_dict". Nothing in the file is executed.
TensorMap readTorchFile(const std::string& path);
TensorMap readTorchFile(const std::shared_ptr<const MappedFile>& file);

}  // namespace dan::io
