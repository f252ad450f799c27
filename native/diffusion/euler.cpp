// This applies Euler's method to the probability-flow equation in sigma (Karras et al. 2022, arXiv 2206.00364,
// algorithm 1).
#include <algorithm>
#include <cmath>

#include "diffusion/scheduler.h"
#include "diffusion/sigma_grid.h"

namespace dan::diffusion {

namespace {

class Euler final : public Scheduler {
 public:
  Euler(const ScheduleConfig& config, int64_t steps) : config_(config) {
    const NoiseSchedule schedule(config);
    const std::vector<double> all = trainSigmas(schedule);
    const std::string spacing = config.timestepSpacing.empty() ? "linspace" : config.timestepSpacing;
    if (spacing == "linspace") {  // the grid is not rounded; sigmas between timesteps are interpolated
      const auto last = static_cast<double>(config.numTrainTimesteps - 1);
      for (int64_t i = steps - 1; i >= 0; --i) {
        timesteps_.push_back(steps == 1 ? 0.0 : last * static_cast<double>(i) / static_cast<double>(steps - 1));
      }
    } else {
      timesteps_ = spacedTimesteps(spacing, config.numTrainTimesteps, steps, config.stepsOffset);
    }
    for (const double t : timesteps_) sigmas_.push_back(sigmaAt(all, t));
    if (config.useKarrasSigmas) {
      sigmas_ = karrasSigmas(sigmas_.back(), sigmas_.front(), steps);
      std::transform(sigmas_.begin(), sigmas_.end(), timesteps_.begin(),
                     [&](double sigma) { return timestepOf(all, sigma); });
    }
    const double largest = sigmas_.front();
    initNoiseSigma_ = spacing == "leading" ? std::sqrt(largest * largest + 1) : largest;
    sigmas_.push_back(config.finalSigmasType == "zero" ? 0.0 : all.front());
  }

  void keepLast(int64_t steps) override {
    Scheduler::keepLast(steps);
    sigmas_.erase(sigmas_.begin(), sigmas_.end() - steps - 1);
  }

  at::Tensor scaleModelInput(const at::Tensor& sample, size_t index) const override {
    return sample / std::sqrt(sigmas_[index] * sigmas_[index] + 1);
  }

  at::Tensor step(const at::Tensor& modelOutput, size_t index, const at::Tensor& sample, const NoiseSource&) override {
    const double sigma = sigmas_[index], s2 = sigma * sigma + 1;
    const at::Tensor original = config_.predictionType == PredictionType::kEpsilon
                                    ? sample - sigma * modelOutput
                                    : modelOutput * (-sigma / std::sqrt(s2)) + sample / s2;
    return sample + (sigmas_[index + 1] - sigma) / sigma * (sample - original);
  }

 protected:
  NoiseScales scalesAt(size_t index) const override { return {1, sigmas_[index]}; }

 private:
  ScheduleConfig config_;
  std::vector<double> sigmas_;
};

}  // namespace

std::unique_ptr<Scheduler> makeEuler(const ScheduleConfig& config, int64_t steps) {
  return std::make_unique<Euler>(config, steps);
}

}  // namespace dan::diffusion
