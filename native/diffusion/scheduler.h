// This is the common interface of the solvers of the reverse process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "diffusion/noise_schedule.h"

namespace dan::diffusion {

// Returns fresh standard normal noise of the sample's shape. Only stochastic schedulers call it.
using NoiseSource = std::function<at::Tensor()>;

// A noisy sample is signal * clean + noise * standard normal noise.
struct NoiseScales {
  double signal, noise;
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // The timesteps are in the order of the model's calls. They are whole numbers except for Euler, whose timesteps may
  // lie between two.
  const std::vector<double>& timesteps() const { return timesteps_; }
  // The first sample must have this standard deviation.
  double initNoiseSigma() const { return initNoiseSigma_; }

  // Leaves only the last `steps` of the steps, so that sampling starts from a noised image instead of pure noise. Call
  // 0 is then the first call that remains. It must be called before the first step.
  virtual void keepLast(int64_t steps);
  // Returns the noisy sample that call `index` expects of a clean one. After the last call it is the clean sample.
  at::Tensor addNoise(const at::Tensor& sample, const at::Tensor& noise, size_t index) const;

  // Returns the model's input for `sample` at call `index`.
  virtual at::Tensor scaleModelInput(const at::Tensor& sample, size_t index) const { return sample; }
  // Advances `sample` by one call. Calls must come in order from 0, since multistep methods keep their state inside.
  // The sample may differ from the one that the previous call returned.
  virtual at::Tensor step(const at::Tensor& modelOutput, size_t index, const at::Tensor& sample,
                          const NoiseSource& noise) = 0;

 protected:
  virtual NoiseScales scalesAt(size_t index) const = 0;

  std::vector<double> timesteps_;
  double initNoiseSigma_ = 1.0;
};

// `name`: pndm, ddim, ddpm, euler, dpmsolver++, dpmsolver++-karras, unipc, or diffusers' class name.
// Throws ERR_INVALID_OPTION for another name or a number of steps outside 1..numTrainTimesteps.
std::unique_ptr<Scheduler> makeScheduler(const std::string& name, const ScheduleConfig& config,
                                         int64_t numInferenceSteps, double eta = 0.0);

// Returns the published timestep grid with `count` falling timesteps. `spacing` is leading, linspace or trailing.
std::vector<double> spacedTimesteps(const std::string& spacing, int64_t numTrainTimesteps, int64_t count,
                                    int64_t stepsOffset);

// Returns the scales of a variance-preserving process. a is the alphaCumprod of the timestep.
NoiseScales noiseScales(double a);

// This holds the predicted clean sample and noise for either prediction type. a is the alphaCumprod of the timestep.
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
