// These are attention in bfloat16, with products of vectors or of AMX, and the rounding of a product's sums.
#pragma once

#include <cstring>

#include "ops/cpu/attention_loops.h"

namespace dan::ops::cpu {

namespace {

struct BFloat16Values {
  using Value = uint16_t;
  static constexpr int64_t kValues = 2;  // per word
  // It is off by 3e-6 at most, which is little beside the rounding of the weights.
  static constexpr float kExp2Series[] = {9.5701013e-3F, 5.5917859e-2F, 0.24024744F, 0.69312179F, 0.99999928F};
  static float word(const uint16_t* values, int64_t count) {
    const uint32_t bits = values[0] | (count > 1 ? static_cast<uint32_t>(values[1]) << 16 : 0);
    float result = 0;
    std::memcpy(&result, &bits, sizeof(result));
    return result;
  }
  static void packValues(const HeadRows& rows, int64_t key, int64_t width, int64_t paddedWidth, float* into) {
    const auto* first = static_cast<const uint16_t*>(rows.data) + key * rows.stride;
    for (int64_t d = 0; d < paddedWidth; d += kLanes) {
      const Mask mask = firstLanes(width - d), none = firstLanes(0);
      const auto row = [&](int64_t r) { return key + r < rows.count ? first + r * rows.stride + d : first; };
      cpu::store(into + d,
                 loadPairs(row(0), key < rows.count ? mask : none, row(1), key + 1 < rows.count ? mask : none));
    }
  }
  static void storeWeights(float* weights, int64_t k, Vector weight) {
    storeBFloat16(reinterpret_cast<uint16_t*>(weights) + k, weight);
  }
  static void store(const float* sums, float factor, int64_t width, uint16_t* result) {
    for (int64_t d = 0; d < width; d += kLanes) {
      storeBFloat16(result + d, multiply(load(sums + d), broadcast(factor)), firstLanes(width - d));
    }
  }
};

struct BFloat16Arithmetic : BFloat16Values, VectorProducts<BFloat16Arithmetic> {
  static Vector multiplyAdd(Vector a, Vector b, Vector sum) { return multiplyAddPairs(a, b, sum); }
};

// The panels of keys are as wide as a block of AMX's products.
template <const AmxProducts& amx>
struct AmxArithmetic : BFloat16Values {
  static constexpr int64_t kRows = kAmxRows;
  static constexpr int64_t kBlockQueries = 2 * kAmxRows;
  static constexpr int64_t kWordStep = kAmxWords;
  static constexpr int64_t kWidthStep = kLanes;
  static_assert(kPanelColumns == kAmxColumns && kLanes == kAmxWords);

  static void begin() { amx.configure(); }
  static void end() { amx.release(); }

  static void scoreKeys(const float* queries, int64_t words, const float* keys, int64_t padded, float* scores) {
    for (int64_t k = 0; k < padded; k += kAmxColumns) {
      amx.multiply({reinterpret_cast<const uint16_t*>(queries), 2 * words, kAmxTileRows * 2 * words, nullptr,
                    words / kAmxWords, keys + k * words, kAmxColumns, kAmxWords, scores + k, kBlockKeys, false});
    }
  }

  static void addValues(const float* weights, int64_t words, const float* values, int64_t width, const float* factors,
                        float* sums) {
    for (int64_t r = 0; r < kAmxRows; ++r) {
      float* row = sums + r * width;
      for (int64_t d = 0; d < width; d += kLanes) cpu::store(row + d, multiply(broadcast(factors[r]), load(row + d)));
    }
    for (int64_t d = 0; d < width; d += kAmxColumns) {
      const auto multiply = width - d >= kAmxColumns ? amx.multiply : amx.multiplyNarrow;
      multiply({reinterpret_cast<const uint16_t*>(weights), kBlockKeys, kAmxTileRows * kBlockKeys, nullptr,
                words / kAmxWords, values + d, width, kAmxWords, sums + d, width, true});
    }
  }
};

inline void packRowPairs(const uint16_t* rows, int64_t rowStride, int64_t columns, int64_t words, float* panel) {
  for (int64_t w = 0; w < words; ++w, rows += 2 * rowStride) {
    for (int64_t c = 0; c < kPanelColumns; c += kLanes, panel += kLanes) {
      const Mask mask = firstLanes(columns - c);
      cpu::store(panel, loadPairs(rows + c, mask, rows + rowStride + c, mask));
    }
  }
}

inline void roundRows(const RoundingTask& task) {
  for (int64_t c = 0; c < task.columns; c += kLanes) {
    const Mask mask = firstLanes(task.columns - c);
    const Vector bias = task.bias == nullptr ? zero() : load(task.bias + c, mask);
    for (int64_t row = 0; row < task.rows; ++row) {
      if (task.targets[row] < 0) continue;
      storeBFloat16(task.result + task.targets[row] * task.resultStride + c,
                    add(load(task.sums + row * task.sumStride + c, mask), bias), mask);
    }
  }
}

}  // namespace

}  // namespace dan::ops::cpu
