#include "ops/cpu/amx_loops.h"

namespace dan::ops::cpu {

namespace {

// The compiler's intrinsics paste the number of a tile as text, so they cannot be used in templates. They also let the
// compiler move stores past a load of a tile.
struct CpuTiles {
  static void configure(const AmxConfig& config) { asm volatile("ldtilecfg %0" ::"m"(config)); }
  static void release() { asm volatile("tilerelease" ::: "memory"); }
  template <int tile>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(tile));
  }
  template <int tile>
  static void load(const void* from, int64_t strideBytes) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(strideBytes), "i"(tile) : "memory");
  }
  template <int tile>
  static void store(void* to, int64_t strideBytes) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(strideBytes), "i"(tile) : "memory");
  }
  template <int sum, int left, int right>
  static void multiplyAdd() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(left), "i"(right));
  }
};

}  // namespace

const AmxProducts kAmxProducts = {configureTiles<CpuTiles>, CpuTiles::release, multiplyBlock<CpuTiles, 2>,
                                  multiplyBlock<CpuTiles, 1>};

}  // namespace dan::ops::cpu
