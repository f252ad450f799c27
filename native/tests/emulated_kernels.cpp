#include "tests/emulated_kernels.h"

#include "tests/vector_model.h"
// The loops use the vectors, so they are included after them.
#include "ops/cpu/attention_loops.h"
#include "ops/cpu/batch_norm_relu_loops.h"
#include "ops/cpu/bfloat16_loops.h"
#include "ops/cpu/pair_loops.h"
#include "ops/cpu/product_loops.h"
#include "ops/cpu/winograd4_loops.h"
#include "ops/cpu/winograd_loops.h"

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

const Kernels kAvx512 = {kTileRows,
                         kPanelColumns,
                         packPanel,
                         multiplyTile,
                         transformPatch,
                         transformKernels,
                         transformSums,
                         attentionScratch,
                         attendFloat,
                         nullptr,
                         pairNorm,
                         pairMix,
                         nullptr,
                         nullptr,
                         nullptr,
                         &kWinograd4Kernels,
                         &kBatchNormReluLoops};
const Kernels kBFloat16 = {kTileRows,
                           kPanelColumns,
                           packPanel,
                           multiplyTile,
                           transformPatch,
                           transformKernels,
                           transformSums,
                           attentionScratch,
                           attendFloat,
                           attend<BFloat16Arithmetic>,
                           pairNorm,
                           pairMix,
                           roundRows,
                           packRowPairs,
                           nullptr,
                           &kWinograd4Kernels,
                           &kBatchNormReluLoops};

template <const AmxProducts& amx>
constexpr Kernels kAmx = {kTileRows,
                          kPanelColumns,
                          packPanel,
                          multiplyTile,
                          transformPatch,
                          transformKernels,
                          transformSums,
                          scratchOf<AmxArithmetic<amx>>,
                          attendFloat,
                          attend<AmxArithmetic<amx>>,
                          pairNorm,
                          pairMix,
                          roundRows,
                          packRowPairs,
                          &amx,
                          &kWinograd4Kernels,
                          &kBatchNormReluLoops};

}  // namespace

}  // namespace dan::ops::cpu

namespace dan::tests {

const ops::cpu::Kernels& emulatedAvx512() { return ops::cpu::kAvx512; }
const ops::cpu::Kernels& emulatedAvx512BFloat16() { return ops::cpu::kBFloat16; }
const ops::cpu::Kernels& emulatedAmx() { return ops::cpu::kAmx<kModelProducts>; }
const ops::cpu::Kernels& trappedAmx() { return ops::cpu::kAmx<ops::cpu::kAmxProducts>; }

}  // namespace dan::tests
