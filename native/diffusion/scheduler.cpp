#include "diffusion/scheduler.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace dan::diffusion {

std::vector<double> spacedTimesteps(const std::string& spacing, int64_t numTrainTimesteps, int64_t count,
                                    int64_t stepsOffset) {
  std::vector<double> timesteps;
  const auto total = static_cast<double>(numTrainTimesteps), n = static_cast<double>(count);
  for (int64_t i = count - 1; i >= 0; --i) {
    const auto k = static_cast<double>(i);
    if (spacing == "leading") {
      timesteps.push_back(static_cast<double>(i * (numTrainTimesteps / count) + stepsOffset));
    } else if (spacing == "linspace") {
      timesteps.push_back(std::nearbyint(count == 1 ? 0.0 : k * (total - 1) / (n - 1)));
    } else {
      timesteps.push_back(std::nearbyint(total - (n - 1 - k) * (total / n)) - 1);
    }
  }
  // A grid with an offset may begin one step past the last training timestep.
  for (double& t : timesteps) t = std::min(t, total - 1);
  return timesteps;
}

Prediction predictOriginal(const at::Tensor& modelOutput, const at::Tensor& sample, double a, PredictionType type) {
  const double signal = std::sqrt(a), sigma = std::sqrt(1 - a);
  if (type == PredictionType::kEpsilon) return {(sample - sigma * modelOutput) / signal, modelOutput};
  return {signal * sample - sigma * modelOutput, signal * modelOutput + sigma * sample};
}

void Scheduler::keepLast(int64_t steps) {
  TORCH_CHECK(steps >= 1 && steps <= static_cast<int64_t>(timesteps_.size()), "no scheduler has ", steps,
              " steps left");
  timesteps_.erase(timesteps_.begin(), timesteps_.end() - steps);
}

at::Tensor Scheduler::addNoise(const at::Tensor& sample, const at::Tensor& noise, size_t index) const {
  if (index == timesteps_.size()) return sample;
  const NoiseScales scales = scalesAt(index);
  return scales.signal * sample + scales.noise * noise;
}

NoiseScales noiseScales(double a) { return {std::sqrt(a), std::sqrt(1 - a)}; }

std::unique_ptr<Scheduler> makeScheduler(const std::string& name, const ScheduleConfig& config,
                                         int64_t numInferenceSteps, double eta) {
  if (numInferenceSteps < 1 || numInferenceSteps > config.numTrainTimesteps) {
    fail(kInvalidOption, "Expected 1 to ", config.numTrainTimesteps, " for steps but received ", numInferenceSteps);
  }
  if (name == "pndm" || name == "PNDMScheduler") return makePndm(config, numInferenceSteps);
  if (name == "ddim" || name == "DDIMScheduler") return makeDdim(config, numInferenceSteps, eta);
  if (name == "ddpm" || name == "DDPMScheduler") return makeDdpm(config, numInferenceSteps);
  if (name == "euler" || name == "EulerDiscreteScheduler") return makeEuler(config, numInferenceSteps);
  if (name == "dpmsolver++" || name == "DPMSolverMultistepScheduler") return makeDpmSolver(config, numInferenceSteps);
  if (name == "dpmsolver++-karras") {
    ScheduleConfig karras = config;
    karras.useKarrasSigmas = true;
    return makeDpmSolver(karras, numInferenceSteps);
  }
  if (name == "unipc" || name == "UniPCMultistepScheduler") return makeUniPc(config, numInferenceSteps);
  fail(kInvalidOption, "Expected pndm, ddim, ddpm, euler, dpmsolver++, dpmsolver++-karras or unipc for scheduler but ",
       "received ", name);
}

}  // namespace dan::diffusion
