// This is the DDPM solver (arXiv 2006.11239) on a subset of the training timesteps.
#include <cmath>

#include "diffusion/scheduler.h"

namespace dan::diffusion {

namespace {

class Ddpm final : public Scheduler {
 public:
  Ddpm(const ScheduleConfig& config, int64_t steps) : schedule_(config), stride_(config.numTrainTimesteps / steps) {
    const std::string spacing = config.timestepSpacing.empty() ? "leading" : config.timestepSpacing;
    timesteps_ = spacedTimesteps(spacing, config.numTrainTimesteps, steps, config.stepsOffset);
  }

  at::Tensor step(const at::Tensor& modelOutput, size_t index, const at::Tensor& sample,
                  const NoiseSource& noise) override {
    const auto t = static_cast<int64_t>(timesteps_[index]);
    const int64_t tPrev = t - stride_;
    const double a = schedule_.alphaCumprod(t), aPrev = tPrev >= 0 ? schedule_.alphaCumprod(tPrev) : 1.0;
    const double alpha = a / aPrev, beta = 1 - alpha;
    at::Tensor original = predictOriginal(modelOutput, sample, a, schedule_.config().predictionType).sample;
    if (schedule_.config().clipSample) original = original.clamp(-1, 1);
    at::Tensor mean =
        std::sqrt(aPrev) * beta / (1 - a) * original + std::sqrt(alpha) * (1 - aPrev) / (1 - a) * sample;  // (7)
    if (t == 0) return mean;
    const double variance = std::max((1 - aPrev) / (1 - a) * beta, 1e-20);  // (7), "fixed small"
    return mean + std::sqrt(variance) * noise();
  }

 protected:
  NoiseScales scalesAt(size_t index) const override {
    return noiseScales(schedule_.alphaCumprod(static_cast<int64_t>(timesteps_[index])));
  }

 private:
  NoiseSchedule schedule_;
  int64_t stride_;
};

}  // namespace

std::unique_ptr<Scheduler> makeDdpm(const ScheduleConfig& config, int64_t steps) {
  return std::make_unique<Ddpm>(config, steps);
}

}  // namespace dan::diffusion
