// These are the fused CUDA kernels on raw pointers. They use nothing of libtorch, so nvcc compiles them in seconds.
// Rows are dense. Half-precision values are computed in float and rounded once.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace dan::ops::cuda {

enum class Element { kFloat, kHalf, kBFloat16 };

struct GegluArguments {
  Element element;
  const void* x;  // (rows, 2 width)
  void* out;      // (rows, width)
  int64_t rows, width;
};
void launchGeglu(const GegluArguments& arguments, cudaStream_t stream);

struct GroupNormSiluArguments {
  Element element;
  const void *x, *weight, *bias;  // (images, pixels, channels), (channels), (channels)
  float* statistics;              // (images, groups, 2); scratch for mean and 1 / deviation
  void* out;                      // (images, pixels, channels)
  int64_t images, pixels, channels, groups;
  float eps;
};
void launchGroupNormSilu(const GroupNormSiluArguments& arguments, cudaStream_t stream);

struct PairNormArguments {
  Element element;
  const void *attended, *weight, *bias;  // (2, tokens, width), (width), (width)
  void *anomaly, *difference;            // (tokens, width)
  int64_t tokens, width;
  float eps;
};
void launchPairNorm(const PairNormArguments& arguments, cudaStream_t stream);

struct PairMixArguments {
  Element element;
  void* attended;                                                  // (2, tokens, width), changed in place
  const void *anomaly, *difference, *products, *base, *scoreBias;  // see ops::PairProducts
  int64_t tokens, width;
};
void launchPairMix(const PairMixArguments& arguments, cudaStream_t stream);

}  // namespace dan::ops::cuda
