// On CPUs with AMX, both our kernels and libtorch's (oneDNN) use it. These functions return true unless libtorch's
// are faster by more than a tenth, as measured once a machine (kernel_choice.h) for sizes like those of Stable
// Diffusion. They return false on other CPUs.
#pragma once

#include <cstdint>

namespace dan::ops {

bool amxPaysForLinear(int64_t rows);
bool amxPaysForConvolution(int64_t pixels);  // 3x3, of all images of the batch
bool amxPaysForAttention(int64_t keys);

}  // namespace dan::ops
