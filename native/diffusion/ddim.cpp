// This is the DDIM solver (arXiv 2010.02502).
#include <cmath>

#include "diffusion/scheduler.h"

namespace dan::diffusion {

namespace {

class Ddim final : public Scheduler {
 public:
  Ddim(const ScheduleConfig& config, int64_t steps, double eta)
      : schedule_(config), stride_(config.numTrainTimesteps / steps), eta_(eta) {
    const std::string spacing = config.timestepSpacing.empty() ? "leading" : config.timestepSpacing;
    timesteps_ = spacedTimesteps(spacing, config.numTrainTimesteps, steps, config.stepsOffset);
  }

  at::Tensor step(const at::Tensor& modelOutput, size_t index, const at::Tensor& sample,
                  const NoiseSource& noise) override {
    const auto& config = schedule_.config();
    const auto t = static_cast<int64_t>(timesteps_[index]);
    const int64_t tPrev = t - stride_;
    const double a = schedule_.alphaCumprod(t);
    const double aPrev = tPrev >= 0             ? schedule_.alphaCumprod(tPrev)
                         : config.setAlphaToOne ? 1.0
                                                : schedule_.alphaCumprod(0);
    auto [original, direction] = predictOriginal(modelOutput, sample, a, config.predictionType);
    if (config.clipSample) original = original.clamp(-1, 1);
    const double sigma = eta_ * std::sqrt((1 - aPrev) / (1 - a) * (1 - a / aPrev));  // (16)
    at::Tensor previous =
        std::sqrt(aPrev) * original + std::sqrt(std::max(0.0, 1 - aPrev - sigma * sigma)) * direction;  // (12)
    return eta_ > 0 ? previous + sigma * noise() : previous;
  }

 protected:
  NoiseScales scalesAt(size_t index) const override {
    return noiseScales(schedule_.alphaCumprod(static_cast<int64_t>(timesteps_[index])));
  }

 private:
  NoiseSchedule schedule_;
  int64_t stride_;
  double eta_;
};

}  // namespace

std::unique_ptr<Scheduler> makeDdim(const ScheduleConfig& config, int64_t steps, double eta) {
  return std::make_unique<Ddim>(config, steps, eta);
}

}  // namespace dan::diffusion
