#include "diffusion/sigma_grid.h"

#include <algorithm>
#include <cmath>

#include "diffusion/scheduler.h"

namespace dan::diffusion {

std::vector<double> trainSigmas(const NoiseSchedule& schedule) {
  std::vector<double> sigmas;
  for (const double a : schedule.alphasCumprod()) sigmas.push_back(std::sqrt((1 - a) / a));
  return sigmas;
}

double sigmaAt(const std::vector<double>& sigmas, double timestep) {
  const double clamped = std::clamp(timestep, 0.0, static_cast<double>(sigmas.size() - 1));
  const auto low = std::min(static_cast<size_t>(clamped), sigmas.size() - 2);
  const double w = clamped - static_cast<double>(low);
  return (1 - w) * sigmas[low] + w * sigmas[low + 1];
}

double timestepOf(const std::vector<double>& sigmas, double sigma) {
  const auto above = std::upper_bound(sigmas.begin(), sigmas.end(), sigma);
  const auto low = std::clamp<int64_t>(above - sigmas.begin() - 1, 0, static_cast<int64_t>(sigmas.size()) - 2);
  const double logLow = std::log(sigmas[low]), logHigh = std::log(sigmas[low + 1]);
  const double w = std::clamp((logLow - std::log(std::max(sigma, 1e-10))) / (logLow - logHigh), 0.0, 1.0);
  return static_cast<double>(low) + w;
}

std::vector<double> karrasSigmas(double sigmaMin, double sigmaMax, int64_t count) {
  constexpr double kRho = 7.0;
  const double low = std::pow(sigmaMin, 1 / kRho), high = std::pow(sigmaMax, 1 / kRho);
  std::vector<double> sigmas;
  for (int64_t i = 0; i < count; ++i) {
    const double ramp = count == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(count - 1);
    sigmas.push_back(std::pow(high + ramp * (low - high), kRho));
  }
  return sigmas;
}

SigmaGrid multistepGrid(const NoiseSchedule& schedule, int64_t steps) {
  const ScheduleConfig& config = schedule.config();
  const std::vector<double> all = trainSigmas(schedule);
  SigmaGrid grid;
  if (config.useKarrasSigmas) {
    grid.sigmas = karrasSigmas(all.front(), all.back(), steps);
    for (const double sigma : grid.sigmas) {
      const double t = timestepOf(all, sigma);
      grid.timesteps.push_back(config.betaSchedule == "squaredcos_cap_v2" ? std::floor(t) : std::nearbyint(t));
    }
  } else {
    const std::string spacing = config.timestepSpacing.empty() ? "linspace" : config.timestepSpacing;
    // These solvers make one more point and drop the lowest, except on the trailing grid.
    const int64_t points = spacing == "trailing" ? steps : steps + 1;
    grid.timesteps = spacedTimesteps(spacing, config.numTrainTimesteps, points, config.stepsOffset);
    grid.timesteps.resize(steps);
    for (const double t : grid.timesteps) grid.sigmas.push_back(sigmaAt(all, t));
  }
  grid.sigmas.push_back(config.finalSigmasType == "zero" ? 0.0 : all.front());
  return grid;
}

NoiseLevel noiseLevel(double sigma) {
  const double alpha = 1 / std::sqrt(sigma * sigma + 1);
  return {alpha, alpha * sigma, -std::log(sigma)};
}

}  // namespace dan::diffusion
