#pragma once

#include <ATen/ATen.h>

namespace dan::nn {

// timesteps: (N) of any number type; returns (N, width) float32. The sinusoidal embedding is that of DDPM (arXiv
// 2006.11239) section 3.3, in diffusers' parametrisation: the frequencies are exp(-ln(10000) * i / (width / 2 -
// shift)), and the sines come first unless flipSinToCos.
at::Tensor timestepEmbedding(const at::Tensor& timesteps, int64_t width, bool flipSinToCos, double shift);

}  // namespace dan::nn
