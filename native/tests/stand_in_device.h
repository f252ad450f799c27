// A device that is not the CPU, for machines without a GPU: its memory is the host's and its arithmetic the CPU's, but
// an operation that mixes tensors of both is refused, as on CUDA. It shows that everything is put where it belongs.
#pragma once

#include <ATen/ATen.h>

namespace dan::tests {

// Registers it at the first call.
at::Device standInDevice();

}  // namespace dan::tests
