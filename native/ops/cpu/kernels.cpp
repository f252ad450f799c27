#include "ops/cpu/kernels.h"

#include <ATen/Version.h>

#include <optional>
#include <string>

namespace dan::ops::cpu {

namespace {

// libtorch lowers its capability to ATEN_CPU_CAPABILITY, so both checks respect that variable.
bool mayUseAvx512() { return at::get_cpu_capability() == "AVX512"; }
bool mayUseAvx2() { return mayUseAvx512() || at::get_cpu_capability() == "AVX2"; }

std::optional<Kernels> choose() {
  if (mayUseAvx512() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0) {
    Kernels chosen = kAvx512Kernels;
    if (computesInBFloat16()) chosen.attendBFloat16 = attendBFloat16;
    return chosen;
  }
  if (mayUseAvx2() && __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
      __builtin_cpu_supports("f16c") != 0) {
    return kAvx2Kernels;
  }
  return std::nullopt;
}

}  // namespace

bool computesInBFloat16() { return mayUseAvx512() && __builtin_cpu_supports("avx512bf16") != 0; }

const Kernels* kernels() {
  static const std::optional<Kernels> chosen = choose();
  return chosen ? &*chosen : nullptr;
}

std::array<KernelSet, 3> kernelSets() {
  const Kernels* chosen = kernels();
  const auto uses = [chosen](const Kernels& set) { return chosen != nullptr && chosen->packPanel == set.packPanel; };
  return {{{"avx2", uses(kAvx2Kernels)},
           {"avx512", uses(kAvx512Kernels)},
           {"avx512_bf16", chosen != nullptr && chosen->attendBFloat16 != nullptr}}};
}

}  // namespace dan::ops::cpu
