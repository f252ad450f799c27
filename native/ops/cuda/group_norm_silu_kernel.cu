#include "ops/cuda/common.cuh"

namespace dan::ops::cuda {

namespace {

// Returns the sum over the threads of a block to every thread.
__device__ float blockSum(float x) {
  __shared__ float ofWarp[kThreads / kWarp];
  x = warpSum(x);
  if (threadIdx.x % kWarp == 0) ofWarp[threadIdx.x / kWarp] = x;
  __syncthreads();
  float total = 0;
  for (int warp = 0; warp < kThreads / kWarp; ++warp) total += ofWarp[warp];
  __syncthreads();  // the next call must not write before all have read
  return total;
}

// One block handles one group of one image. It uses no atomics, so the same input gives the same bits.
template <class T>
__global__ void statisticsKernel(const T* x, float* statistics, int64_t pixels, int64_t channels, int64_t groups,
                                 float eps) {
  const int64_t image = blockIdx.x / groups, group = blockIdx.x % groups, members = channels / groups;
  const T* first = x + image * pixels * channels + group * members;
  const int64_t count = pixels * members;
  // We sum distances from one of the values. Sums of squares of the values themselves would cancel where an image's
  // background is even.
  const float ground = toFloat(*first);
  float sum = 0, squares = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) {
    const float distance = toFloat(first[i / members * channels + i % members]) - ground;
    sum += distance;
    squares += distance * distance;
  }
  const float mean = blockSum(sum) / static_cast<float>(count);
  const float variance = blockSum(squares) / static_cast<float>(count) - mean * mean;
  if (threadIdx.x == 0) {
    statistics[2 * blockIdx.x] = ground + mean;
    statistics[2 * blockIdx.x + 1] = 1.0f / sqrtf(fmaxf(variance, 0.0f) + eps);
  }
}

template <class T, int N>
__global__ void normalizeKernel(const T* x, const T* weight, const T* bias, const float* statistics, T* out,
                                int64_t pixels, int64_t channels, int64_t groups) {
  const int64_t rowPacks = channels / N, count = pixels * rowPacks, members = channels / groups;
  const int64_t image = blockIdx.y;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const float* ofImage = statistics + 2 * image * groups;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    const int64_t column = i % rowPacks;
    const Pack<T, N> values = packs<T, N>(x)[image * count + i];
    const Pack<T, N> gain = packs<T, N>(weight)[column], offset = packs<T, N>(bias)[column];
    Pack<T, N> result;
    for (int j = 0; j < N; ++j) {
      const int64_t group = (column * N + j) / members;
      const float y = (values[j] - ofImage[2 * group]) * ofImage[2 * group + 1] * gain[j] + offset[j];
      result.set(j, y / (1.0f + expf(-y)));
    }
    packs<T, N>(out)[image * count + i] = result;
  }
}

}  // namespace

void launchGroupNormSilu(const GroupNormSiluArguments& a, cudaStream_t stream) {
  byElement(a.element, a.channels, isAligned({a.x, a.weight, a.bias, a.out}), [&](auto zero, auto packSize) {
    using T = decltype(zero);
    constexpr int N = decltype(packSize)::value;
    const auto* x = static_cast<const T*>(a.x);
    launch(statisticsKernel<T>, dim3(static_cast<unsigned>(a.images * a.groups)), dim3(kThreads), stream, x,
           a.statistics, a.pixels, a.channels, a.groups, a.eps);
    constexpr int64_t kMaxBlocks = 1 << 16;
    const int64_t packs = std::min(a.pixels * a.channels / N, kMaxBlocks * kThreads);
    launch(normalizeKernel<T, N>, dim3(blocksFor(packs, kThreads), static_cast<unsigned>(a.images)), dim3(kThreads),
           stream, x, static_cast<const T*>(a.weight), static_cast<const T*>(a.bias),
           static_cast<const float*>(a.statistics), static_cast<T*>(a.out), a.pixels, a.channels, a.groups);
  });
}

}  // namespace dan::ops::cuda
