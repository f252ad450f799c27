// This is the solver DPM-Solver++ 2M (arXiv 2211.01095) with data prediction, in midpoint form.
#include <cmath>

#include "diffusion/scheduler.h"
#include "diffusion/sigma_grid.h"

namespace dan::diffusion {

namespace {

// With fewer steps than this, the last step is of first order for stability.
constexpr size_t kFewSteps = 15;

class DpmSolver final : public Scheduler {
 public:
  DpmSolver(const ScheduleConfig& config, int64_t steps) : config_(config) {
    SigmaGrid grid = multistepGrid(NoiseSchedule(config), steps);
    timesteps_ = std::move(grid.timesteps);
    sigmas_ = std::move(grid.sigmas);
  }

  void keepLast(int64_t steps) override {
    Scheduler::keepLast(steps);
    sigmas_.erase(sigmas_.begin(), sigmas_.end() - steps - 1);
  }

  at::Tensor step(const at::Tensor& modelOutput, size_t index, const at::Tensor& sample, const NoiseSource&) override {
    const NoiseLevel from = noiseLevel(sigmas_[index]), to = noiseLevel(sigmas_[index + 1]);
    const at::Tensor original =
        predictOriginal(modelOutput, sample, from.alpha * from.alpha, config_.predictionType).sample;
    const double h = to.lambda - from.lambda;
    const double decay = std::expm1(-h);  // e^-h - 1; it is -1 if the last sigma is zero
    const bool isLast = index + 1 == timesteps_.size();
    const bool firstOrder =
        !previous_.defined() ||
        (isLast && ((config_.lowerOrderFinal && timesteps_.size() < kFewSteps) || config_.finalSigmasType == "zero"));
    at::Tensor next = to.sigma / from.sigma * sample - to.alpha * decay * original;  // (7)
    if (!firstOrder) {
      const double r = (from.lambda - noiseLevel(sigmas_[index - 1]).lambda) / h;
      next = next - 0.5 * to.alpha * decay / r * (original - previous_);  // algorithm 2
    }
    previous_ = original;
    return next;
  }

 protected:
  NoiseScales scalesAt(size_t index) const override {
    const NoiseLevel level = noiseLevel(sigmas_[index]);
    return {level.alpha, level.sigma};
  }

 private:
  ScheduleConfig config_;
  std::vector<double> sigmas_;
  at::Tensor previous_;
};

}  // namespace

std::unique_ptr<Scheduler> makeDpmSolver(const ScheduleConfig& config, int64_t steps) {
  return std::make_unique<DpmSolver>(config, steps);
}

}  // namespace dan::diffusion
