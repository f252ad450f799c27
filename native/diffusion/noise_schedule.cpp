#include "diffusion/noise_schedule.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace dan::diffusion {

namespace {

at::Tensor makeBetas(const ScheduleConfig& config) {
  const int64_t n = config.numTrainTimesteps;
  if (config.betaSchedule == "linear") return at::linspace(config.betaStart, config.betaEnd, n, at::kFloat);
  if (config.betaSchedule == "scaled_linear") {
    return at::linspace(std::sqrt(config.betaStart), std::sqrt(config.betaEnd), n, at::kFloat).square();
  }
  // Improved DDPM (arXiv 2102.09672) (17): 1 - a(t + 1) / a(t), a(t) = cos^2((t + 0.008) / 1.008 * pi / 2), capped.
  std::vector<float> betas;
  const auto alphaBar = [](double t) { return std::pow(std::cos((t + 0.008) / 1.008 * M_PI / 2), 2); };
  for (int64_t i = 0; i < n; ++i) {
    betas.push_back(static_cast<float>(
        std::min(1 - alphaBar(static_cast<double>(i + 1) / n) / alphaBar(static_cast<double>(i) / n), 0.999)));
  }
  return at::tensor(betas, at::kFloat);
}

template <class T>
T setting(const nlohmann::json& json, const char* key, T fallback, const std::string& source) {
  if (!json.contains(key) || json[key].is_null()) return fallback;
  try {
    return json[key].get<T>();
  } catch (const nlohmann::json::exception&) {
    fail(kModelInvalid, source, ": ", key, " has the unusable value ", json[key].dump());
  }
}

void requireOneOf(const std::string& value, std::initializer_list<const char*> known, const char* key,
                  const std::string& source) {
  for (const char* name : known) {
    if (value == name) return;
  }
  fail(kModelInvalid, source, ": ", key, " is ", value, ", which is not implemented");
}

}  // namespace

ScheduleConfig parseScheduleConfig(const nlohmann::json& json, const std::string& source) {
  if (!json.is_object()) fail(kModelInvalid, source, ": expected a JSON object");
  ScheduleConfig config;
  config.numTrainTimesteps = setting(json, "num_train_timesteps", config.numTrainTimesteps, source);
  config.stepsOffset = setting(json, "steps_offset", config.stepsOffset, source);
  config.betaStart = setting(json, "beta_start", config.betaStart, source);
  config.betaEnd = setting(json, "beta_end", config.betaEnd, source);
  config.betaSchedule = setting(json, "beta_schedule", config.betaSchedule, source);
  config.timestepSpacing = setting(json, "timestep_spacing", config.timestepSpacing, source);
  config.finalSigmasType = setting(json, "final_sigmas_type", config.finalSigmasType, source);
  config.setAlphaToOne = setting(json, "set_alpha_to_one", config.setAlphaToOne, source);
  config.clipSample = setting(json, "clip_sample", config.clipSample, source);
  config.useKarrasSigmas = setting(json, "use_karras_sigmas", config.useKarrasSigmas, source);
  config.lowerOrderFinal = setting(json, "lower_order_final", config.lowerOrderFinal, source);
  const auto prediction = setting<std::string>(json, "prediction_type", "epsilon", source);
  requireOneOf(prediction, {"epsilon", "v_prediction"}, "prediction_type", source);
  config.predictionType = prediction == "epsilon" ? PredictionType::kEpsilon : PredictionType::kVPrediction;
  requireOneOf(config.betaSchedule, {"linear", "scaled_linear", "squaredcos_cap_v2"}, "beta_schedule", source);
  requireOneOf(config.timestepSpacing, {"", "leading", "linspace", "trailing"}, "timestep_spacing", source);
  requireOneOf(config.finalSigmasType, {"zero", "sigma_min"}, "final_sigmas_type", source);
  for (const char* key : {"thresholding", "rescale_betas_zero_snr", "use_exponential_sigmas", "use_beta_sigmas",
                          "use_flow_sigmas", "use_lu_lambdas", "euler_at_final"}) {
    if (setting(json, key, false, source)) fail(kModelInvalid, source, ": ", key, " is not implemented");
  }
  if (config.numTrainTimesteps < 1 || config.numTrainTimesteps > 1'000'000) {
    fail(kModelInvalid, source, ": num_train_timesteps is ", config.numTrainTimesteps);
  }
  return config;
}

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
