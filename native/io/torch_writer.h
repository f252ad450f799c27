// This writes weights in torch.save's format: a zip of stored records and a pickle that torch.load(weights_only=True)
// reads.
#pragma once

#include <string>

#include "core/tensor_map.h"

namespace dan::io {

// Writes a dict of contiguous tensors, whole or not at all. Throws ERR_FILE_ACCESS.
void writeTorchFile(const std::string& path, const TensorMap& tensors);

}  // namespace dan::io
