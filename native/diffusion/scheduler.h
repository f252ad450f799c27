// What every sampler of the reverse process has in common.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "diffusion/noise_schedule.h"

namespace dan::diffusion {

// Gives fresh standard normal noise of the sample's shape; called by stochastic schedulers only.
using NoiseSource = std::function<at::Tensor()>;

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // In the order of the model's calls; whole numbers but for Euler, whose timesteps may lie between two.
  const std::vector<double>& timesteps() const { return timesteps_; }
  // The standard deviation that the first sample must have.
  double initNoiseSigma() const { return initNoiseSigma_; }

  // What the model sees of `sample` at call `index`.
  virtual at::Tensor scaleModelInput(const at::Tensor& sample, size_t index) const { return sample; }
  // Moves `sample` one call on. Calls must come in order from 0; state of multistep methods is kept inside.
  virtual at::Tensor step(const at::Tensor& modelOutput, size_t index, const at::Tensor& sample,
                          const NoiseSource& noise) = 0;

 protected:
  std::vector<double> timesteps_;
  double initNoiseSigma_ = 1.0;
};

// `name`: pndm, ddim, ddpm, euler, dpmsolver++, dpmsolver++-karras, unipc, or diffusers' class name.
// Throws ERR_INVALID_OPTION for another name or a number of steps outside 1..numTrainTimesteps.
std::unique_ptr<Scheduler> makeScheduler(const std::string& name, const ScheduleConfig& config,
                                         int64_t numInferenceSteps, double eta = 0.0);

// The published timestep grids, falling. `count` points of `spacing` (leading, linspace or trailing).
std::vector<double> spacedTimesteps(const std::string& spacing, int64_t numTrainTimesteps, int64_t count,
                                    int64_t stepsOffset);

// The predicted clean sample and noise, for either prediction type; a = alphaCumprod of the timestep.
struct Prediction {
  at::Tensor sample, noise;
};
Prediction predictOriginal(const at::Tensor& modelOutput, const at::Tensor& sample, double a, PredictionType type);

std::unique_ptr<Scheduler> makePndm(const ScheduleConfig& config, int64_t steps);
std::unique_ptr<Scheduler> makeDdim(const ScheduleConfig& config, int64_t steps, double eta);
std::unique_ptr<Scheduler> makeDdpm(const ScheduleConfig& config, int64_t steps);
std::unique_ptr<Scheduler> makeEuler(const ScheduleConfig& config, int64_t steps);
std::unique_ptr<Scheduler> makeDpmSolver(const ScheduleConfig& config, int64_t steps);
std::unique_ptr<Scheduler> makeUniPc(const ScheduleConfig& config, int64_t steps);

}  // namespace dan::diffusion
