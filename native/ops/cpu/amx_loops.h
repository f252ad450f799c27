// These are the blocks of bfloat16 products on AMX (AmxOperands). `Tiles` is the eight tile registers: those of the CPU
// (amx.cpp), or a model of them in plain C++ with which the tests run the same code on any CPU (tests/amx_model.h).
#pragma once

#include <cstdint>

#include "ops/cpu/kernels.h"

namespace dan::ops::cpu {

// The operand of LDTILECFG.
struct AmxConfig {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t bytesOfRow[16] = {};  // by tile
  uint8_t rows[16] = {};
};
static_assert(sizeof(AmxConfig) == 64);

namespace {

constexpr int64_t kAmxTileBytes = 64;  // of a row

template <class Tiles>
void configureTiles() {
  AmxConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.bytesOfRow[tile] = kAmxTileBytes;
    config.rows[tile] = kAmxTileRows;
  }
  Tiles::configure(config);
}

// Tiles 0 to 3 hold the sums of 2 x 2 tiles, tiles 4 and 5 hold rows of the left operand, and 6 and 7 hold columns of
// the right one. With one right tile, the sums are tiles 0 and 2.
template <class Tiles, int Rights>
void multiplyBlock(const AmxOperands& operands) {
  const int64_t sumBytes = operands.sumStride * 4, leftBytes = operands.leftStride * 2;
  const int64_t rightBytes = operands.rightStride * 4;
  float* const lower = operands.sums + kAmxTileRows * operands.sumStride;
  if (operands.accumulate) {
    Tiles::template load<0>(operands.sums, sumBytes);
    Tiles::template load<2>(lower, sumBytes);
    if constexpr (Rights == 2) {
      Tiles::template load<1>(operands.sums + kAmxWords, sumBytes);
      Tiles::template load<3>(lower + kAmxWords, sumBytes);
    }
  } else {
    Tiles::template zero<0>();
    Tiles::template zero<2>();
    if constexpr (Rights == 2) {
      Tiles::template zero<1>();
      Tiles::template zero<3>();
    }
  }
  const float* right = operands.right;
  for (int64_t step = 0; step < operands.steps; ++step, right += kAmxWords * operands.rightStride) {
    const uint16_t* left =
        operands.left + (operands.stepOffsets == nullptr ? step * kAmxDepth : operands.stepOffsets[step]);
    Tiles::template load<6>(right, rightBytes);
    Tiles::template load<4>(left, leftBytes);
    Tiles::template multiplyAdd<0, 4, 6>();
    Tiles::template load<5>(left + operands.secondLeft, leftBytes);
    Tiles::template multiplyAdd<2, 5, 6>();
    if constexpr (Rights == 2) {
      Tiles::template load<7>(right + operands.secondRight, rightBytes);
      Tiles::template multiplyAdd<1, 4, 7>();
      Tiles::template multiplyAdd<3, 5, 7>();
    }
  }
  Tiles::template store<0>(operands.sums, sumBytes);
  Tiles::template store<2>(lower, sumBytes);
  if constexpr (Rights == 2) {
    Tiles::template store<1>(operands.sums + kAmxWords, sumBytes);
    Tiles::template store<3>(lower + kAmxWords, sumBytes);
  }
}

}  // namespace

}  // namespace dan::ops::cpu
