// The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes without gaps.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/tensor_map.h"
#include "io/input_file.h"

namespace dan::io {

using Metadata = std::map<std::string, std::string>;

struct SafetensorsFile {
  TensorMap tensors;  // on the CPU, each with memory of its own
  Metadata metadata;
};

// Whether a tensor of this name is read; the others are not there.
using Wanted = std::function<bool(const std::string&)>;

// Checks all of the header before any tensor is read: lengths against the file, offsets in order without gap or
// overlap, known dtypes, shapes without overflow. Throws ERR_WEIGHTS_INVALID naming file and reason, ERR_FILE_ACCESS
// where the file is written to meanwhile.
SafetensorsFile readSafetensors(const std::string& path);
SafetensorsFile readSafetensors(const InputFile& file, const Wanted& wanted = {});

// Writes whole or not at all.
void writeSafetensors(const std::string& path, const TensorMap& tensors, const Metadata& metadata = {});

}  // namespace dan::io
