#include "ops/cuda/common.cuh"

namespace dan::ops::cuda {

namespace {

__device__ inline float gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f)); }

// Each thread computes one pack of the result after the other.
template <class T, int N>
__global__ void gegluKernel(const T* x, T* out, int64_t rows, int64_t width) {
  const int64_t rowPacks = width / N, count = rows * rowPacks;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    const int64_t row = i / rowPacks, column = i % rowPacks;
    const Pack<T, N>* source = packs<T, N>(x) + row * 2 * rowPacks + column;
    const Pack<T, N> value = source[0], gate = source[rowPacks];
    Pack<T, N> result;
    for (int j = 0; j < N; ++j) result.set(j, value[j] * gelu(gate[j]));
    packs<T, N>(out)[i] = result;
  }
}

}  // namespace

void launchGeglu(const GegluArguments& a, cudaStream_t stream) {
  byElement(a.element, a.width, isAligned({a.x, a.out}), [&](auto zero, auto packSize) {
    using T = decltype(zero);
    constexpr int N = decltype(packSize)::value;
    constexpr int64_t kMaxBlocks = 1 << 20;
    const int64_t packs = a.rows * a.width / N;
    launch(gegluKernel<T, N>, dim3(blocksFor(std::min(packs, kMaxBlocks * kThreads), kThreads)), dim3(kThreads), stream,
           static_cast<const T*>(a.x), static_cast<T*>(a.out), a.rows, a.width);
  });
}

}  // namespace dan::ops::cuda
