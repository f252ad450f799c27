#include "nn/timestep_embedding.h"

#include <cmath>

namespace dan::nn {

at::Tensor timestepEmbedding(const at::Tensor& timesteps, int64_t width, bool flipSinToCos, double shift) {
  const int64_t half = width / 2;
  const auto options = at::TensorOptions().dtype(at::kFloat).device(timesteps.device());
  const at::Tensor frequencies = at::exp(at::arange(half, options) * (-std::log(10000.0) / (half - shift)));
  const at::Tensor angles = timesteps.to(at::kFloat).unsqueeze(1) * frequencies.unsqueeze(0);
  return flipSinToCos ? at::cat({at::cos(angles), at::sin(angles)}, 1) : at::cat({at::sin(angles), at::cos(angles)}, 1);
}

}  // namespace dan::nn
