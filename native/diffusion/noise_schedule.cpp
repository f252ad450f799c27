#include "diffusion/noise_schedule.h"

#include <cmath>

namespace dan::diffusion {

namespace {

at::Tensor makeBetas(const ScheduleConfig& config) {
  const int64_t n = config.numTrainTimesteps;
  if (config.betaSchedule == "linear") return at::linspace(config.betaStart, config.betaEnd, n, at::kFloat);
  if (config.betaSchedule == "scaled_linear") {
    return at::linspace(std::sqrt(config.betaStart), std::sqrt(config.betaEnd), n, at::kFloat).square();
  }
  // Improved DDPM (arXiv 2102.09672), equation (17): 1 - a(t + 1) / a(t) with a(t) = cos^2((t + 0.008) / 1.008 * pi /
  // 2). The values are capped.
  std::vector<float> betas;
  const auto alphaBar = [](double t) { return std::pow(std::cos((t + 0.008) / 1.008 * M_PI / 2), 2); };
  for (int64_t i = 0; i < n; ++i) {
    betas.push_back(static_cast<float>(
        std::min(1 - alphaBar(static_cast<double>(i + 1) / n) / alphaBar(static_cast<double>(i) / n), 0.999)));
  }
  return at::tensor(betas, at::kFloat);
}

}  // namespace

NoiseSchedule::NoiseSchedule(const ScheduleConfig& config) : config_(config) {
  alphasCumprodTensor_ = at::cumprod(1.0 - makeBetas(config), 0);
  const float* values = alphasCumprodTensor_.data_ptr<float>();
  alphasCumprod_.assign(values, values + config.numTrainTimesteps);
}

at::Tensor NoiseSchedule::addNoise(const at::Tensor& sample, const at::Tensor& noise,
                                   const at::Tensor& timesteps) const {
  const at::Tensor a = alphasCumprodTensor_.index({timesteps.cpu()}).to(sample.options()).view({-1, 1, 1, 1});
  return a.sqrt() * sample + (1 - a).sqrt() * noise;
}

at::Tensor NoiseSchedule::velocity(const at::Tensor& sample, const at::Tensor& noise,
                                   const at::Tensor& timesteps) const {
  const at::Tensor a = alphasCumprodTensor_.index({timesteps.cpu()}).to(sample.options()).view({-1, 1, 1, 1});
  return a.sqrt() * noise - (1 - a).sqrt() * sample;
}

at::Tensor NoiseSchedule::target(const at::Tensor& sample, const at::Tensor& noise, const at::Tensor& timesteps) const {
  return config_.predictionType == PredictionType::kEpsilon ? noise : velocity(sample, noise, timesteps);
}

}  // namespace dan::diffusion
