#include "ops/cpu/vector_avx2.h"
// The loops use the vectors, so they are included after them.
#include "ops/cpu/attention_loops.h"
#include "ops/cpu/batch_norm_relu_loops.h"
#include "ops/cpu/pair_loops.h"
#include "ops/cpu/product_loops.h"
#include "ops/cpu/winograd4_loops.h"
#include "ops/cpu/winograd_loops.h"

namespace dan::ops::cpu {

const Kernels kAvx2Kernels = {kTileRows,
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

}  // namespace dan::ops::cpu
