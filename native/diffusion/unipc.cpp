// This is UniPC (arXiv 2302.04867) of order 2 with data prediction and B(h) = e^h - 1 ("bh2"). It has a predictor, and
// a corrector that costs no further call of the model.
#include <algorithm>
#include <cmath>

#include "diffusion/scheduler.h"
#include "diffusion/sigma_grid.h"

namespace dan::diffusion {

namespace {

class UniPc final : public Scheduler {
 public:
  UniPc(const ScheduleConfig& config, int64_t steps) : config_(config) {
    SigmaGrid grid = multistepGrid(NoiseSchedule(config), steps);
    timesteps_ = std::move(grid.timesteps);
    sigmas_ = std::move(grid.sigmas);
  }

  void keepLast(int64_t steps) override {
    Scheduler::keepLast(steps);
    sigmas_.erase(sigmas_.begin(), sigmas_.end() - steps - 1);
  }

  at::Tensor step(const at::Tensor& modelOutput, size_t index, const at::Tensor& sample, const NoiseSource&) override {
    const double alpha = noiseLevel(sigmas_[index]).alpha;
    const at::Tensor original = predictOriginal(modelOutput, sample, alpha * alpha, config_.predictionType).sample;
    // The correction starts from the sample that `predict` returned. What the caller changed since then is added.
    const at::Tensor corrected = index > 0 ? correct(original, index) + (sample - predicted_) : sample;
    older_ = newest_;
    newest_ = original;
    lastSample_ = corrected;
    const int64_t left = static_cast<int64_t>(timesteps_.size() - index);
    order_ = std::min<int64_t>({kMaxOrder, config_.lowerOrderFinal ? left : kMaxOrder, older_.defined() ? 2 : 1});
    return predicted_ = predict(corrected, index);
  }

 protected:
  NoiseScales scalesAt(size_t index) const override {
    const NoiseLevel level = noiseLevel(sigmas_[index]);
    return {level.alpha, level.sigma};
  }

 private:
  static constexpr int64_t kMaxOrder = 2;

  struct Transition {
    NoiseLevel from, to;
    double hh, expm1hh;  // with data prediction hh = -h
  };
  Transition transition(size_t from) const {
    const NoiseLevel a = noiseLevel(sigmas_[from]), b = noiseLevel(sigmas_[from + 1]);
    const double hh = a.lambda - b.lambda;
    return {a, b, hh, std::expm1(hh)};
  }
  // (lambda of the point before `from` - lambda of `from`) / h
  double ratio(size_t from, const Transition& t) const {
    return (noiseLevel(sigmas_[from - 1]).lambda - t.from.lambda) / -t.hh;
  }

  at::Tensor predict(const at::Tensor& sample, size_t index) const {
    const Transition t = transition(index);
    at::Tensor next = t.to.sigma / t.from.sigma * sample - t.to.alpha * t.expm1hh * newest_;
    if (order_ == 2) next = next - t.to.alpha * t.expm1hh * 0.5 / ratio(index, t) * (older_ - newest_);
    return next;
  }

  // Improves the sample at `index` with the model's output there.
  at::Tensor correct(const at::Tensor& original, size_t index) const {
    const Transition t = transition(index - 1);
    const at::Tensor base = t.to.sigma / t.from.sigma * lastSample_ - t.to.alpha * t.expm1hh * newest_;
    const at::Tensor change = original - newest_;
    if (order_ == 1) return base - t.to.alpha * t.expm1hh * 0.5 * change;
    // This solves the 2x2 system of (9): rows r^(i-1), right side phi_(i+1)(h) i! / B(h).
    const double phi1 = t.expm1hh / t.hh - 1, phi2 = phi1 / t.hh - 0.5;
    const double b1 = phi1 / t.expm1hh, b2 = 2 * phi2 / t.expm1hh;
    const double r = ratio(index - 1, t);
    const double rho0 = (b2 - b1) / (r - 1), rho1 = b1 - rho0;
    return base - t.to.alpha * t.expm1hh * (rho0 / r * (older_ - newest_) + rho1 * change);
  }

  ScheduleConfig config_;
  std::vector<double> sigmas_;
  at::Tensor newest_, older_, lastSample_, predicted_;
  int64_t order_ = 1;
};

}  // namespace

std::unique_ptr<Scheduler> makeUniPc(const ScheduleConfig& config, int64_t steps) {
  return std::make_unique<UniPc>(config, steps);
}

}  // namespace dan::diffusion
