// Softmax attention of some queries of one head over all its keys, block of keys by block of keys (FlashAttention,
// arXiv 2205.14135: running maximum and sum), compiled for AVX-512 in float32 and for AVX-512 with its bfloat16
// products.
#pragma once

#include <cstdint>

namespace dan::ops::cpu {

// Rows of `width` values, `stride` values apart. Values are float, or bfloat16 as their bits.
struct HeadRows {
  const void* data;
  int64_t count, stride;
};

struct AttentionTask {
  HeadRows queries, keys, values;
  int64_t width;
  float scale;
  void* result;  // (queries.count, width), rows `resultStride` values apart
  int64_t resultStride;
};

// Floats of scratch that a task of so many keys needs.
int64_t attentionScratch(int64_t keys, int64_t width);

void attendFloat(const AttentionTask& task, float* scratch);
void attendBFloat16(const AttentionTask& task, float* scratch);

}  // namespace dan::ops::cpu
