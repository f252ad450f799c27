#include "ops/cpu/kernels.h"

#include <ATen/Version.h>
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <string>

namespace dan::ops::cpu {

namespace {

std::optional<Capability> limit;
const Kernels* replaced = nullptr;
constexpr const char* kSetNames[] = {"avx2", "avx512", "avx512_bf16", "amx"};  // in the order of Capability

// libtorch lowers its capability to ATEN_CPU_CAPABILITY, so the choice respects that variable.
bool isAllowed(Capability capability) {
  if (limit && capability > *limit) return false;
  const std::string ofLibtorch = at::get_cpu_capability();
  return ofLibtorch == "AVX512" || (ofLibtorch == "AVX2" && capability == Capability::kAvx2);
}

bool hasAvx2() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
         __builtin_cpu_supports("f16c") != 0;
}
bool hasAvx512() {
  return hasAvx2() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
}
bool hasAvx512BFloat16() { return hasAvx512() && __builtin_cpu_supports("avx512bf16") != 0; }
bool hasAmx() {
  constexpr unsigned kBFloat16 = 1U << 22, kTiles = 1U << 24;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return hasAvx512BFloat16() && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kBFloat16) != 0 &&
         (d & kTiles) != 0;
}

// Linux saves the tiles of a process only after the process has asked for it (Documentation/arch/x86/xstate.rst).
bool mayUseAmx() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  static const bool isGranted = ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return isGranted;
}

Kernels bfloat16Kernels() {
  Kernels kernels = kAvx512Kernels;
  kernels.attendBFloat16 = attendBFloat16;
  kernels.roundSums = roundSums;
  kernels.packPairs = packPairs;
  return kernels;
}

Kernels amxKernels() {
  Kernels kernels = bfloat16Kernels();
  kernels.attentionScratch = amxAttentionScratch;
  kernels.attendBFloat16 = attendAmx;
  kernels.amx = &kAmxProducts;
  return kernels;
}

std::array<KernelSet, 4> makeTable() {
  std::array<KernelSet, 4> sets = {{
      {kSetNames[0], Capability::kAvx2, kAvx2Kernels, hasAvx2(), false},
      {kSetNames[1], Capability::kAvx512, kAvx512Kernels, hasAvx512(), false},
      {kSetNames[2], Capability::kAvx512BFloat16, bfloat16Kernels(), hasAvx512BFloat16(), false},
      {kSetNames[3], Capability::kAmx, amxKernels(), hasAmx() && mayUseAmx(), false},
  }};
  for (KernelSet& set : sets) set.isUsed = set.isSupported && isAllowed(set.capability);
  // The sets for AVX-512 extend each other, but they replace the one for AVX2.
  sets[0].isUsed = sets[0].isUsed && !sets[1].isUsed;
  return sets;
}

}  // namespace

const std::array<KernelSet, 4>& kernelSets() {
  static const std::array<KernelSet, 4> sets = makeTable();
  return sets;
}

const Kernels* kernels() {
  if (replaced != nullptr) return replaced;
  static const Kernels* const chosen = [] {
    const Kernels* last = nullptr;
    for (const KernelSet& set : kernelSets()) {
      if (set.isUsed) last = &set.kernels;
    }
    return last;
  }();
  return chosen;
}

void replaceKernels(const Kernels* replacement) { replaced = replacement; }
bool areKernelsReplaced() { return replaced != nullptr; }

std::optional<Capability> capabilityNamed(std::string_view name) {
  for (size_t i = 0; i < std::size(kSetNames); ++i) {
    if (name == kSetNames[i]) return static_cast<Capability>(i);
  }
  return std::nullopt;
}

bool computesInBFloat16() { return kernelSets()[static_cast<size_t>(Capability::kAvx512BFloat16)].isUsed; }

bool isAmxRefused() { return hasAmx() && !mayUseAmx(); }

void limitCapability(Capability most) {
  struct Names {
    const char *libtorch, *oneDnn;
  };
  constexpr Names kNames[] = {
      {"avx2", "AVX2"}, {"avx512", "AVX512_CORE"}, {"avx512", "AVX512_CORE_BF16"}, {"avx512", "AVX512_CORE_AMX"}};
  const Names& names = kNames[static_cast<size_t>(most)];
  ::setenv("ATEN_CPU_CAPABILITY", names.libtorch, 1);
  ::setenv("ONEDNN_MAX_CPU_ISA", names.oneDnn, 1);
  limit = most;
}

}  // namespace dan::ops::cpu
