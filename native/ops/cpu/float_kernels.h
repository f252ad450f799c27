// These are the kernels of float32. Include this after the vectors that the loops use, such as vector_avx2.h.
#pragma once

#include "ops/cpu/attention_loops.h"
#include "ops/cpu/batch_norm_relu_loops.h"
#include "ops/cpu/pair_loops.h"
#include "ops/cpu/product_loops.h"
#include "ops/cpu/winograd4_loops.h"
#include "ops/cpu/winograd_loops.h"

namespace dan::ops::cpu {

namespace {

constexpr Kernels floatKernels() {
  Kernels kernels{};
  kernels.tileRows = kTileRows;
  kernels.panelColumns = kPanelColumns;
  kernels.packPanel = packPanel;
  kernels.multiplyTile = multiplyTile;
  kernels.transformPatch = transformPatch;
  kernels.transformKernels = transformKernels;
  kernels.transformSums = transformSums;
  kernels.attentionScratch = attentionScratch;
  kernels.attendFloat = attendFloat;
  kernels.pairNorm = pairNorm;
  kernels.pairMix = pairMix;
  kernels.winograd4 = &kWinograd4Kernels;
  kernels.batchNormRelu = &kBatchNormReluLoops;
  return kernels;
}

}  // namespace

}  // namespace dan::ops::cpu
