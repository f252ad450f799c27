#include "ops/cpu/vector_avx512.h"
// The loops use the vectors, so they are included after them.
#include "ops/cpu/float_kernels.h"

namespace dan::ops::cpu {

const Kernels kAvx512Kernels = floatKernels();

}  // namespace dan::ops::cpu
