// Noise levels sigma = sqrt((1 - a) / a) along the timesteps of a sampler.
#pragma once

#include <vector>

#include "diffusion/noise_schedule.h"

namespace dan::diffusion {

// sigma of every training timestep, rising.
std::vector<double> trainSigmas(const NoiseSchedule& schedule);

// Linear interpolation of `sigmas` at a fractional timestep.
double sigmaAt(const std::vector<double>& sigmas, double timestep);

// The fractional timestep of a sigma, by linear interpolation of its logarithm.
double timestepOf(const std::vector<double>& sigmas, double sigma);

// Karras et al. 2022 (arXiv 2206.00364) (5), rho = 7, from sigmaMax down to sigmaMin.
std::vector<double> karrasSigmas(double sigmaMin, double sigmaMax, int64_t count);

// The grid of the multistep solvers: one more sigma than timesteps, ending in the configured last one.
struct SigmaGrid {
  std::vector<double> timesteps, sigmas;
};
SigmaGrid multistepGrid(const NoiseSchedule& schedule, int64_t steps);

// sigma as the pair (alpha, sigma) of a variance-preserving process, and its half log signal-to-noise ratio.
struct NoiseLevel {
  double alpha, sigma, lambda;
};
NoiseLevel noiseLevel(double sigma);

}  // namespace dan::diffusion
