// This is PNDM (arXiv 2202.09778) without the Runge-Kutta warm-up, as published with Stable Diffusion 1.x. It is a
// linear multistep method over up to four model outputs, and it calls the second timestep twice.
#include <cmath>
#include <deque>

#include "diffusion/scheduler.h"

namespace dan::diffusion {

namespace {

class Pndm final : public Scheduler {
 public:
  Pndm(const ScheduleConfig& config, int64_t steps) : schedule_(config), stride_(config.numTrainTimesteps / steps) {
    const std::string spacing = config.timestepSpacing.empty() ? "leading" : config.timestepSpacing;
    timesteps_ = spacedTimesteps(spacing, config.numTrainTimesteps, steps, config.stepsOffset);
    repeatSecond();
  }

  void keepLast(int64_t steps) override {
    if (timesteps_.size() > 1) timesteps_.erase(timesteps_.begin() + 1);
    Scheduler::keepLast(steps);
    repeatSecond();
  }

  at::Tensor step(const at::Tensor& modelOutput, size_t index, const at::Tensor& sample, const NoiseSource&) override {
    auto t = static_cast<int64_t>(timesteps_[index]);
    int64_t tPrev = t - stride_;
    if (index == 1) {
      // The repeated call improves the first step, so it starts again from the first sample.
      tPrev = t;
      t += stride_;
      return previous((modelOutput + outputs_.back()) / 2, firstSample_, t, tPrev);
    }
    if (index == 0) firstSample_ = sample;
    outputs_.push_back(modelOutput);
    if (outputs_.size() > 4) outputs_.pop_front();
    return previous(extrapolate(), sample, t, tPrev);
  }

 protected:
  NoiseScales scalesAt(size_t index) const override {
    return noiseScales(schedule_.alphaCumprod(static_cast<int64_t>(timesteps_[index])));
  }

 private:
  void repeatSecond() {
    if (timesteps_.size() > 1) timesteps_.insert(timesteps_.begin() + 1, timesteps_[1]);
  }

  // PNDM (12): the order of Adams-Bashforth is limited by the number of outputs kept so far.
  at::Tensor extrapolate() const {
    const auto& e = outputs_;
    switch (e.size()) {
      case 1:
        return e[0];
      case 2:
        return (3 * e[1] - e[0]) / 2;
      case 3:
        return (23 * e[2] - 16 * e[1] + 5 * e[0]) / 12;
      default:
        return (55 * e[3] - 59 * e[2] + 37 * e[1] - 9 * e[0]) / 24;
    }
  }

  // PNDM (11): the sample moves from t to tPrev along a noise estimate.
  at::Tensor previous(const at::Tensor& output, const at::Tensor& sample, int64_t t, int64_t tPrev) const {
    const auto& config = schedule_.config();
    const double a = schedule_.alphaCumprod(std::min(t, config.numTrainTimesteps - 1));
    const double aPrev = tPrev >= 0             ? schedule_.alphaCumprod(tPrev)
                         : config.setAlphaToOne ? 1.0
                                                : schedule_.alphaCumprod(0);
    const at::Tensor noise =
        config.predictionType == PredictionType::kEpsilon ? output : std::sqrt(a) * output + std::sqrt(1 - a) * sample;
    const double denominator = a * std::sqrt(1 - aPrev) + std::sqrt(a * (1 - a) * aPrev);
    return std::sqrt(aPrev / a) * sample - (aPrev - a) / denominator * noise;
  }

  NoiseSchedule schedule_;
  int64_t stride_;
  std::deque<at::Tensor> outputs_;
  at::Tensor firstSample_;
};

}  // namespace

std::unique_ptr<Scheduler> makePndm(const ScheduleConfig& config, int64_t steps) {
  return std::make_unique<Pndm>(config, steps);
}

}  // namespace dan::diffusion
