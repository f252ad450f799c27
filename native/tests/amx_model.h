// This is a model of AMX's tiles in plain C++: eight tiles of up to 16 rows of 64 bytes, their configuration, and the
// arithmetic of TDPBF16PS. It follows the operations in Intel's Software Developer's Manual, volume 2.
#pragma once

#include <cstdint>

#include "ops/cpu/amx_loops.h"

namespace dan::tests {

// Each thread has its own tiles. Every misuse that is an exception on a CPU ends the test.
class AmxModel {
 public:
  static void configure(const ops::cpu::AmxConfig& config);
  static void release();
  static void zero(int tile);
  static void load(int tile, const void* from, int64_t strideBytes);
  static void store(int tile, void* to, int64_t strideBytes);
  // sum += left times right, by TDPBF16PS
  static void multiplyAdd(int sum, int left, int right);
};

// The interface of the model is that of the CPU's tiles in amx.cpp.
struct ModelTiles {
  static void configure(const ops::cpu::AmxConfig& config) { AmxModel::configure(config); }
  static void release() { AmxModel::release(); }
  template <int tile>
  static void zero() {
    AmxModel::zero(tile);
  }
  template <int tile>
  static void load(const void* from, int64_t strideBytes) {
    AmxModel::load(tile, from, strideBytes);
  }
  template <int tile>
  static void store(void* to, int64_t strideBytes) {
    AmxModel::store(tile, to, strideBytes);
  }
  template <int sum, int left, int right>
  static void multiplyAdd() {
    AmxModel::multiplyAdd(sum, left, right);
  }
};

extern const ops::cpu::AmxProducts kModelProducts;

}  // namespace dan::tests
