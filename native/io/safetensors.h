// A safetensors file holds an 8-byte little-endian header length, a JSON header, and the tensors' bytes without gaps.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/tensor_map.h"
#include "io/input_file.h"

namespace dan::io {

using Metadata = std::map<std::string, std::string>;

struct SafetensorsFile {
  TensorMap tensors;  // on the CPU, each with its own memory
  Metadata metadata;
};

// A Wanted returns true for the names of tensors to read. The result omits the others.
using Wanted = std::function<bool(const std::string&)>;

// Checks the whole header before it reads any tensor: lengths against the file, offsets in order without gap or
// overlap, known dtypes, shapes without overflow. Throws ERR_WEIGHTS_INVALID naming the file and the reason, and
// ERR_FILE_ACCESS if the file is written to meanwhile.
SafetensorsFile readSafetensors(const std::string& path);
SafetensorsFile readSafetensors(const InputFile& file, const Wanted& wanted = {});

// Writes the file whole or not at all.
void writeSafetensors(const std::string& path, const TensorMap& tensors, const Metadata& metadata = {});

}  // namespace dan::io
