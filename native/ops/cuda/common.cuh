// The kernels share these helpers: arithmetic of three dtypes, loads of 16 bytes, sums over a warp, and the launch.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#ifdef __CUDACC__
namespace dan::ops::cuda {
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream, Arguments... arguments) {
  kernel<<<grid, block, 0, stream>>>(arguments...);
}
}  // namespace dan::ops::cuda
#else
#include "ops/cuda/emulator.h"  // CPU tests compile the same source without a GPU
#endif

#include "ops/cuda/kernels.h"

namespace dan::ops::cuda {

constexpr int kWarp = 32, kWarpsPerBlock = 4, kThreads = 256;

__device__ inline float toFloat(float x) { return x; }
__device__ inline float toFloat(__half x) { return __half2float(x); }
__device__ inline float toFloat(__nv_bfloat16 x) { return __bfloat162float(x); }
template <class T>
__device__ inline T fromFloat(float x);
template <>
__device__ inline float fromFloat<float>(float x) {
  return x;
}
template <>
__device__ inline __half fromFloat<__half>(float x) {
  return __float2half_rn(x);
}
template <>
__device__ inline __nv_bfloat16 fromFloat<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}

// A pack is N values that are loaded and stored at once.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T values[N];
  __device__ float operator[](int i) const { return toFloat(values[i]); }
  __device__ void set(int i, float x) { values[i] = fromFloat<T>(x); }
};

template <class T, int N>
__device__ inline const Pack<T, N>* packs(const T* x) {
  return reinterpret_cast<const Pack<T, N>*>(x);
}
template <class T, int N>
__device__ inline Pack<T, N>* packs(T* x) {
  return reinterpret_cast<Pack<T, N>*>(x);
}

// Returns the sum of a value over the lanes of a warp to every lane. The order of additions is fixed, so results repeat
// exactly.
__device__ inline float warpSum(float x) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(0xffffffffu, x, offset);
  return x;
}

inline bool isAligned(std::initializer_list<const void*> pointers) {
  uintptr_t bits = 0;
  for (const void* pointer : pointers) bits |= reinterpret_cast<uintptr_t>(pointer);
  return bits % 16 == 0;
}

inline unsigned blocksFor(int64_t items, int64_t perBlock) {
  return static_cast<unsigned>((items + perBlock - 1) / perBlock);
}

// Calls run(T(), packSize) with the element's type. packSize is a std::integral_constant: the number of elements in 16
// bytes if every row of `width` elements starts on such a boundary, else 1.
template <class Run>
void byElement(Element element, int64_t width, bool aligned, const Run& run) {
  const auto withType = [&](auto zero) {
    constexpr int kFull = 16 / sizeof(zero);
    if (aligned && width % kFull == 0) {
      run(zero, std::integral_constant<int, kFull>());
    } else {
      run(zero, std::integral_constant<int, 1>());
    }
  };
  switch (element) {
    case Element::kFloat:
      return withType(float());
    case Element::kHalf:
      return withType(__half());
    case Element::kBFloat16:
      return withType(__nv_bfloat16());
  }
}

}  // namespace dan::ops::cuda
