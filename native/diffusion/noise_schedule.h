// The forward process consists of the betas, their cumulative products, the noising of samples and the training
// targets.
#pragma once

#include <ATen/ATen.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace dan::diffusion {

enum class PredictionType { kEpsilon, kVPrediction };

// These are keys of diffusers' scheduler_config.json. A key that a file omits has diffusers' default.
struct ScheduleConfig {
  int64_t numTrainTimesteps = 1000, stepsOffset = 0;
  double betaStart = 0.0001, betaEnd = 0.02;
  std::string betaSchedule = "linear";   // linear, scaled_linear, squaredcos_cap_v2
  std::string timestepSpacing;           // leading, linspace, trailing; if empty, the scheduler's default
  std::string finalSigmasType = "zero";  // zero, sigma_min
  PredictionType predictionType = PredictionType::kEpsilon;
  bool setAlphaToOne = true, clipSample = true, useKarrasSigmas = false, lowerOrderFinal = true;
};

// Throws ERR_MODEL_INVALID naming `source`, the key and its value if a setting is unknown or not implemented.
ScheduleConfig parseScheduleConfig(const nlohmann::json& json, const std::string& source);

class NoiseSchedule {
 public:
  explicit NoiseSchedule(const ScheduleConfig& config);
  const ScheduleConfig& config() const { return config_; }

  double alphaCumprod(int64_t timestep) const { return alphasCumprod_.at(timestep); }
  const std::vector<double>& alphasCumprod() const { return alphasCumprod_; }

  // DDPM (4): sqrt(a) * sample + sqrt(1 - a) * noise. Each row has its own timestep. timesteps: (N) int64.
  at::Tensor addNoise(const at::Tensor& sample, const at::Tensor& noise, const at::Tensor& timesteps) const;
  // Progressive distillation (arXiv 2202.00512) appendix D: sqrt(a) * noise - sqrt(1 - a) * sample.
  at::Tensor velocity(const at::Tensor& sample, const at::Tensor& noise, const at::Tensor& timesteps) const;
  // Returns the target that the model is trained to predict.
  at::Tensor target(const at::Tensor& sample, const at::Tensor& noise, const at::Tensor& timesteps) const;

 private:
  ScheduleConfig config_;
  std::vector<double> alphasCumprod_;  // computed in float32 like the published schedules, kept as double
  at::Tensor alphasCumprodTensor_;     // float32
};

}  // namespace dan::diffusion
