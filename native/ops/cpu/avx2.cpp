#include "ops/cpu/vector_avx2.h"
// The loops use the vectors, so they are included after them.
#include "ops/cpu/float_kernels.h"

namespace dan::ops::cpu {

const Kernels kAvx2Kernels = floatKernels();

}  // namespace dan::ops::cpu
