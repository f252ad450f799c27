#include "ops/cuda/common.cuh"

namespace dan::ops::cuda {

namespace {

// One warp handles one pair of tokens. It reads their rows three times, and the cache serves the second and third time.
template <class T, int N>
__global__ void pairNormKernel(const T* attended, const T* weight, const T* bias, T* anomaly, T* difference,
                               int64_t tokens, int64_t width, float eps) {
  const int64_t token = static_cast<int64_t>(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarp;
  if (token >= tokens) return;
  const int64_t lane = threadIdx.x % kWarp, rowPacks = width / N;
  const Pack<T, N>* rows[2] = {packs<T, N>(attended) + token * rowPacks,
                               packs<T, N>(attended) + (tokens + token) * rowPacks};
  float mean[2], scale[2];
  for (int branch = 0; branch < 2; ++branch) {
    float sum = 0, squares = 0;
    for (int64_t i = lane; i < rowPacks; i += kWarp) {
      const Pack<T, N> values = rows[branch][i];
      for (int j = 0; j < N; ++j) sum += values[j];
    }
    mean[branch] = warpSum(sum) / static_cast<float>(width);
    for (int64_t i = lane; i < rowPacks; i += kWarp) {
      const Pack<T, N> values = rows[branch][i];
      for (int j = 0; j < N; ++j) squares += (values[j] - mean[branch]) * (values[j] - mean[branch]);
    }
    scale[branch] = 1.0f / sqrtf(warpSum(squares) / static_cast<float>(width) + eps);
  }
  for (int64_t i = lane; i < rowPacks; i += kWarp) {
    const Pack<T, N> global = rows[0][i], part = rows[1][i], gain = packs<T, N>(weight)[i];
    const Pack<T, N> offset = packs<T, N>(bias)[i];
    Pack<T, N> normalized, distance;
    for (int j = 0; j < N; ++j) {
      const float x0 = (global[j] - mean[0]) * scale[0], x1 = (part[j] - mean[1]) * scale[1];
      normalized.set(j, x1 * gain[j] + offset[j]);
      distance.set(j, (x0 - x1) * gain[j]);
    }
    packs<T, N>(anomaly)[token * rowPacks + i] = normalized;
    packs<T, N>(difference)[token * rowPacks + i] = distance;
  }
}

}  // namespace

void launchPairNorm(const PairNormArguments& a, cudaStream_t stream) {
  const bool aligned = isAligned({a.attended, a.weight, a.bias, a.anomaly, a.difference});
  byElement(a.element, a.width, aligned, [&](auto zero, auto packSize) {
    using T = decltype(zero);
    launch(pairNormKernel<T, decltype(packSize)::value>, dim3(blocksFor(a.tokens, kWarpsPerBlock)),
           dim3(kWarp * kWarpsPerBlock), stream, static_cast<const T*>(a.attended), static_cast<const T*>(a.weight),
           static_cast<const T*>(a.bias), static_cast<T*>(a.anomaly), static_cast<T*>(a.difference), a.tokens, a.width,
           a.eps);
  });
}

}  // namespace dan::ops::cuda
