// This compiles the kernels' own source as C++ under the emulator.
#include "ops/cuda/geglu_kernel.cu"
#include "ops/cuda/group_norm_silu_kernel.cu"
#include "ops/cuda/pair_mix_kernel.cu"
#include "ops/cuda/pair_norm_kernel.cu"
