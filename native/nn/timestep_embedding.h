// Sinusoidal timestep features.
#pragma once

#include <ATen/ATen.h>

namespace dan::nn {

// timesteps: (N) of any number type; returns (N, width) float32. DDPM (arXiv 2006.11239) section 3.3, as diffusers
// parametrises it: frequencies exp(-ln(10000) * i / (width / 2 - shift)), sine first unless flipSinToCos.
at::Tensor timestepEmbedding(const at::Tensor& timesteps, int64_t width, bool flipSinToCos, double shift);

}  // namespace dan::nn
