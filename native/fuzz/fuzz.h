// The fuzz targets share these helpers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/error.h"
#include "core/tensor_map.h"
#include "fuzz/memory_limit.h"
#include "io/input_file.h"

namespace dan::fuzz {

inline std::shared_ptr<const io::InputFile> asFile(const uint8_t* data, size_t size) {
  return io::InputFile::fromMemory("input", std::vector<uint8_t>(data, data + size));
}

// Reading every element finds a tensor that reaches beyond its bytes.
inline void readAll(const TensorMap& tensors) {
  MemoryLimit::check();
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor bytes = tensor.contiguous();
    uint8_t sum = 0;
    for (size_t i = 0; i < bytes.nbytes(); ++i) sum ^= static_cast<const uint8_t*>(bytes.const_data_ptr())[i];
    volatile uint8_t keep = sum;
    (void)keep;
  }
}

// Runs `read` within the memory limit for an input of `size` bytes. A CoreError is the right answer to a damaged file;
// anything else ends the fuzzer.
template <class Read>
void expectDataOrError(size_t size, const Read& read) {
  const MemoryLimit limit(size);
  try {
    read();
  } catch (const CoreError&) {
  }
}

}  // namespace dan::fuzz
