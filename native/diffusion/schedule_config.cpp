// This reads the parts of diffusers' scheduler_config.json that we need. The base's file says how noise was added and
// what the model predicts. The user chooses the solver with an option, so settings of a solver that we do not build
// matter only to that solver.
#include <algorithm>

#include "core/settings.h"
#include "diffusion/noise_schedule.h"

namespace dan::diffusion {

namespace {

constexpr int64_t kMostTimesteps = 1'000'000;

// These schedulers belong to models that learn the noise of DDPM's forward process. Others (flow matching, consistency
// models, EDM) belong to other kinds of models.
constexpr const char* kKnown[] = {"PNDMScheduler", "DDIMScheduler", "DDPMScheduler", "EulerDiscreteScheduler",
                                  "DPMSolverMultistepScheduler", "UniPCMultistepScheduler",
                                  // we do not build the ones below
                                  "DDIMInverseScheduler", "DEISMultistepScheduler", "DPMSolverSDEScheduler",
                                  "DPMSolverSinglestepScheduler", "EulerAncestralDiscreteScheduler",
                                  "HeunDiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "KDPM2DiscreteScheduler",
                                  "LMSDiscreteScheduler"};

std::string oneOf(Settings& settings, const char* key, const std::string& fallback,
                  std::initializer_list<const char*> known) {
  const std::string value = settings.text(key, fallback);
  if (std::none_of(known.begin(), known.end(), [&](const char* name) { return value == name; })) {
    fail(kModelInvalid, settings.source(), ": ", key, " is ", value, ", which is not implemented");
  }
  return value;
}

// A solver that we build must have the settings that we implement. The settings of other solvers are ignored.
void expectSolver(Settings& settings, const std::string& name, bool clipSample) {
  const auto expectOf = [&](std::initializer_list<const char*> schedulers, const char* key,
                            std::initializer_list<nlohmann::json> values) {
    const bool isBuilt =
        std::any_of(schedulers.begin(), schedulers.end(), [&](const char* one) { return name == one; });
    if (isBuilt) settings.expect(key, values);
    settings.harmless({key});
  };
  constexpr const char *kPndm = "PNDMScheduler", *kDdpm = "DDPMScheduler", *kEuler = "EulerDiscreteScheduler",
                       *kDpm = "DPMSolverMultistepScheduler", *kUniPc = "UniPCMultistepScheduler";
  expectOf({kPndm}, "skip_prk_steps", {true});
  expectOf({kDdpm}, "variance_type", {"fixed_small"});
  expectOf({kEuler}, "interpolation_type", {"linear"});
  expectOf({kEuler}, "timestep_type", {"discrete"});
  expectOf({kEuler}, "sigma_min", {nullptr});
  expectOf({kEuler}, "sigma_max", {nullptr});
  expectOf({kDpm}, "algorithm_type", {"dpmsolver++"});
  expectOf({kDpm}, "variance_type", {nullptr});
  expectOf({kDpm, kUniPc}, "solver_order", {2});
  expectOf({kDpm}, "solver_type", {"midpoint"});
  expectOf({kUniPc}, "solver_type", {"bh2"});
  expectOf({kUniPc}, "predict_x0", {true});
  expectOf({kUniPc}, "disable_corrector", {nlohmann::json::array()});
  expectOf({kUniPc}, "solver_p", {nullptr});
  expectOf({kDpm}, "lambda_min_clipped", {"-Infinity"});
  if (clipSample) settings.expect("clip_sample_range", {1});
  // Some of these belong to thresholding and flow matching, which are rejected elsewhere. The others belong to random
  // numbers of solvers' own.
  settings.harmless({"clip_sample_range", "dynamic_thresholding_ratio", "flow_shift", "noise_sampler_seed",
                     "sample_max_value", "tensor_format", "time_shift_type"});
}

}  // namespace

ScheduleConfig parseScheduleConfig(const nlohmann::json& json, const std::string& source) {
  Settings settings(json, source);
  ScheduleConfig config;
  const std::string name = settings.text("_class_name", "");
  if (!name.empty() &&
      std::none_of(std::begin(kKnown), std::end(kKnown), [&](const char* one) { return name == one; })) {
    settings.reject("_class_name", "a scheduler of Stable Diffusion 1.x or 2.x");
  }
  config.numTrainTimesteps = settings.integer("num_train_timesteps", config.numTrainTimesteps, 1, kMostTimesteps);
  config.stepsOffset = settings.integer("steps_offset", config.stepsOffset, 0, config.numTrainTimesteps);
  config.betaStart = settings.number("beta_start", config.betaStart);
  config.betaEnd = settings.number("beta_end", config.betaEnd);
  if (config.betaStart <= 0 || config.betaStart >= 1) settings.reject("beta_start", "a number between 0 and 1");
  if (config.betaEnd < config.betaStart || config.betaEnd >= 1) {
    settings.reject("beta_end", "a number from beta_start up to 1");
  }
  config.betaSchedule =
      oneOf(settings, "beta_schedule", config.betaSchedule, {"linear", "scaled_linear", "squaredcos_cap_v2"});
  config.timestepSpacing =
      oneOf(settings, "timestep_spacing", config.timestepSpacing, {"", "leading", "linspace", "trailing"});
  config.finalSigmasType = oneOf(settings, "final_sigmas_type", config.finalSigmasType, {"zero", "sigma_min"});
  config.setAlphaToOne = settings.flag("set_alpha_to_one", config.setAlphaToOne);
  config.clipSample = settings.flag("clip_sample", config.clipSample);
  config.useKarrasSigmas = settings.flag("use_karras_sigmas", config.useKarrasSigmas);
  config.lowerOrderFinal = settings.flag("lower_order_final", config.lowerOrderFinal);
  const std::string prediction = oneOf(settings, "prediction_type", "epsilon", {"epsilon", "v_prediction"});
  config.predictionType = prediction == "epsilon" ? PredictionType::kEpsilon : PredictionType::kVPrediction;
  for (const char* key :
       {"trained_betas", "thresholding", "rescale_betas_zero_snr", "use_exponential_sigmas", "use_beta_sigmas",
        "use_dynamic_shifting", "use_flow_sigmas", "use_lu_lambdas", "euler_at_final"}) {
    const nlohmann::json& value = settings.value(key);
    if (!value.is_null() && value != false) {
      fail(kModelInvalid, source, ": ", key, " is ", value.dump().substr(0, 80), ", which is not implemented");
    }
  }
  settings.expect("predict_epsilon", {true});  // the name of prediction_type before diffusers 0.9
  expectSolver(settings, name, config.clipSample);
  settings.finish();
  return config;
}

}  // namespace dan::diffusion
