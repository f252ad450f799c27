// A tensor with memory of its own, filled from a file.
#pragma once

#include <ATen/ATen.h>

#include "io/input_file.h"

namespace dan::io {

// Contiguous, on the CPU. Large ones lie outside of the memory that is kept for a step's blocks (core/host_memory.h):
// weights that were converted or moved to a GPU would stay there. Throws as InputFile::read, and ERR_OUT_OF_MEMORY.
at::Tensor readTensor(const InputFile& file, uint64_t position, at::IntArrayRef shape, at::ScalarType dtype);

}  // namespace dan::io
