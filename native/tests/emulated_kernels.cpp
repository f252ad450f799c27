#include "tests/emulated_kernels.h"

#include "tests/vector_model.h"
// The loops use the vectors, so they are included after them.
#include "ops/cpu/bfloat16_loops.h"
#include "ops/cpu/float_kernels.h"

namespace dan::tests {

extern const ops::cpu::AmxProducts kModelProducts;

}  // namespace dan::tests

namespace dan::ops::cpu {

namespace {

template <class A>
void attend(const AttentionTask& task, float* scratch) {
  Attention<A>(task, scratch).run();
}

template <class A>
int64_t scratchOf(int64_t keys, int64_t width) {
  return std::max(attentionScratch(keys, width), Attention<A>::scratch(keys, width));
}

Kernels bfloat16Kernels() {
  Kernels kernels = floatKernels();
  kernels.attendBFloat16 = attend<BFloat16Arithmetic>;
  kernels.roundSums = roundRows;
  kernels.packPairs = packRowPairs;
  return kernels;
}

template <const AmxProducts& amx>
Kernels amxKernels() {
  Kernels kernels = bfloat16Kernels();
  kernels.attentionScratch = scratchOf<AmxArithmetic<amx>>;
  kernels.attendBFloat16 = attend<AmxArithmetic<amx>>;
  kernels.amx = &amx;
  return kernels;
}

const Kernels kAvx512 = floatKernels(), kBFloat16 = bfloat16Kernels();
const Kernels kModelledAmx = amxKernels<tests::kModelProducts>(), kTrappedAmx = amxKernels<kAmxProducts>();

}  // namespace

}  // namespace dan::ops::cpu

namespace dan::tests {

const ops::cpu::Kernels& emulatedAvx512() { return ops::cpu::kAvx512; }
const ops::cpu::Kernels& emulatedAvx512BFloat16() { return ops::cpu::kBFloat16; }
const ops::cpu::Kernels& emulatedAmx() { return ops::cpu::kModelledAmx; }
const ops::cpu::Kernels& trappedAmx() { return ops::cpu::kTrappedAmx; }

}  // namespace dan::tests
