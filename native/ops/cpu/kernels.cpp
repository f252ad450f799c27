#include "ops/cpu/kernels.h"

#include <ATen/Version.h>

#include <optional>
#include <string>

namespace dan::ops::cpu {

namespace {

std::optional<Kernels> choose() {
  const std::string capability = at::get_cpu_capability();  // heeds ATEN_CPU_CAPABILITY
  const bool mayAvx512 = capability == "AVX512", mayAvx2 = mayAvx512 || capability == "AVX2";
  if (mayAvx512 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0) {
    Kernels chosen = kAvx512Kernels;
    if (__builtin_cpu_supports("avx512bf16") != 0) chosen.attendBFloat16 = attendBFloat16;
    return chosen;
  }
  if (mayAvx2 && __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
      __builtin_cpu_supports("f16c") != 0) {
    return kAvx2Kernels;
  }
  return std::nullopt;
}

}  // namespace

const Kernels* kernels() {
  static const std::optional<Kernels> chosen = choose();
  return chosen ? &*chosen : nullptr;
}

}  // namespace dan::ops::cpu
