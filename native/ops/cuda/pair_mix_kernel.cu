#include "ops/cuda/common.cuh"

namespace dan::ops::cuda {

namespace {

__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// One warp handles one pair of tokens: first its two scores, then its two rows.
template <class T, int N>
__global__ void pairMixKernel(T* attended, const T* anomaly, const T* difference, const T* products, const T* base,
                              const T* scoreBias, int64_t tokens, int64_t width) {
  const int64_t token = static_cast<int64_t>(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarp;
  if (token >= tokens) return;
  const int64_t lane = threadIdx.x % kWarp, rowPacks = width / N, row = token * rowPacks;
  const Pack<T, N>*scores = packs<T, N>(products) + 2 * row, *values = scores + rowPacks;  // A d and B d
  // ofAnomaly is x_1 . (A d) + c . d. further is d . (A d), which only the whole image's score includes.
  float ofAnomaly = 0, further = 0;
  for (int64_t i = lane; i < rowPacks; i += kWarp) {
    const Pack<T, N> x1 = packs<T, N>(anomaly)[row + i], d = packs<T, N>(difference)[row + i];
    const Pack<T, N> ad = scores[i], c = packs<T, N>(scoreBias)[i];
    for (int j = 0; j < N; ++j) {
      ofAnomaly += x1[j] * ad[j] + c[j] * d[j];
      further += d[j] * ad[j];
    }
  }
  ofAnomaly = warpSum(ofAnomaly);
  further = warpSum(further);
  const float weights[2] = {sigmoid(ofAnomaly + further), sigmoid(ofAnomaly)};
  for (int64_t i = lane; i < rowPacks; i += kWarp) {
    const Pack<T, N> shared = packs<T, N>(base)[row + i], bd = values[i];
    for (int branch = 0; branch < 2; ++branch) {
      Pack<T, N>& target = packs<T, N>(attended)[branch * tokens * rowPacks + row + i];
      Pack<T, N> result = target;
      for (int j = 0; j < N; ++j) result.set(j, result[j] + shared[j] + weights[branch] * bd[j]);
      target = result;
    }
  }
}

}  // namespace

void launchPairMix(const PairMixArguments& a, cudaStream_t stream) {
  const bool aligned = isAligned({a.attended, a.anomaly, a.difference, a.products, a.base, a.scoreBias});
  byElement(a.element, a.width, aligned, [&](auto zero, auto packSize) {
    using T = decltype(zero);
    const auto in = [](const void* pointer) { return static_cast<const T*>(pointer); };
    launch(pairMixKernel<T, decltype(packSize)::value>, dim3(blocksFor(a.tokens, kWarpsPerBlock)),
           dim3(kWarp * kWarpsPerBlock), stream, static_cast<T*>(a.attended), in(a.anomaly), in(a.difference),
           in(a.products), in(a.base), in(a.scoreBias), a.tokens, a.width);
  });
}

}  // namespace dan::ops::cuda
