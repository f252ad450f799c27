#pragma once

#include <ATen/ATen.h>

#include "io/input_file.h"

namespace dan::io {

// Reads a contiguous CPU tensor with its own memory from a file. Large tensors bypass the pool that keeps a step's
// blocks (core/host_memory.h): otherwise the pool would keep the memory of weights that were converted or moved to a
// GPU. Throws the errors of InputFile::read, and ERR_OUT_OF_MEMORY.
at::Tensor readTensor(const InputFile& file, uint64_t position, at::IntArrayRef shape, at::ScalarType dtype);

}  // namespace dan::io
