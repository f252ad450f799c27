#include "ops/cpu/vector_avx512_bf16.h"
// The loops use the vectors, so they are included after them.
#include "ops/cpu/bfloat16_loops.h"

namespace dan::ops::cpu {

void attendBFloat16(const AttentionTask& task, float* scratch) { Attention<BFloat16Arithmetic>(task, scratch).run(); }

// The rest of attention on AMX is arithmetic of AVX-512.
void attendAmx(const AttentionTask& task, float* scratch) {
  Attention<AmxArithmetic<kAmxProducts>>(task, scratch).run();
}

int64_t amxAttentionScratch(int64_t keys, int64_t width) {
  return std::max(attentionScratch(keys, width), Attention<AmxArithmetic<kAmxProducts>>::scratch(keys, width));
}

void roundSums(const RoundingTask& task) { roundRows(task); }

void packPairs(const uint16_t* rows, int64_t rowStride, int64_t columns, int64_t words, float* panel) {
  packRowPairs(rows, rowStride, columns, words, panel);
}

}  // namespace dan::ops::cpu
