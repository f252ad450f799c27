// The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes without gaps.
#pragma once

#include <string>

#include "core/tensor_map.h"
#include "io/mapped_file.h"

namespace dan::io {

using Metadata = std::map<std::string, std::string>;

struct SafetensorsFile {
  TensorMap tensors;  // on the CPU, backed by the mapped file: read-only
  Metadata metadata;
};

// Maps `path` and checks all of its header before any tensor is made: lengths against the file, offsets in order
// without gap or overlap, known dtypes, shapes without overflow. Throws ERR_WEIGHTS_INVALID naming file and reason.
SafetensorsFile readSafetensors(const std::string& path);
SafetensorsFile readSafetensors(const std::shared_ptr<const MappedFile>& file);

// Writes whole or not at all.
void writeSafetensors(const std::string& path, const TensorMap& tensors, const Metadata& metadata = {});

}  // namespace dan::io
