// These are the kernels of AVX-512, of its bfloat16 products and of AMX without any of their instructions: vectors are
// those of vector_model.h, and AMX's tiles are those of amx_model.h or, by amx_trap.h, those of amx.cpp itself.
#pragma once

#include "ops/cpu/kernels.h"

namespace dan::tests {

// The loops are compiled for AVX2, which the CPU must have.
const ops::cpu::Kernels& emulatedAvx512();
const ops::cpu::Kernels& emulatedAvx512BFloat16();
const ops::cpu::Kernels& emulatedAmx();
// The tiles' instructions are the ones of amx.cpp. Without AMX, they need an AmxTrap.
const ops::cpu::Kernels& trappedAmx();

// While an object of this class exists, all operations of this process use these kernels.
class UseKernels {
 public:
  explicit UseKernels(const ops::cpu::Kernels& kernels) { ops::cpu::replaceKernels(&kernels); }
  ~UseKernels() { ops::cpu::replaceKernels(nullptr); }
  UseKernels(const UseKernels&) = delete;
  UseKernels& operator=(const UseKernels&) = delete;
};

}  // namespace dan::tests
