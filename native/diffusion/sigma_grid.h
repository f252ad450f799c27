// Noise levels along a solver's timesteps are sigma = sqrt((1 - a) / a).
#pragma once

#include <vector>

#include "diffusion/noise_schedule.h"

namespace dan::diffusion {

// Returns the sigma of every training timestep, rising.
std::vector<double> trainSigmas(const NoiseSchedule& schedule);

// Interpolates `sigmas` linearly at a fractional timestep.
double sigmaAt(const std::vector<double>& sigmas, double timestep);

// Returns the fractional timestep of a sigma, by linear interpolation of its logarithm.
double timestepOf(const std::vector<double>& sigmas, double sigma);

// Karras et al. 2022 (arXiv 2206.00364) (5) with rho = 7: returns sigmas from sigmaMax down to sigmaMin.
std::vector<double> karrasSigmas(double sigmaMin, double sigmaMax, int64_t count);

// The grid of the multistep solvers has one more sigma than timesteps. The configuration gives the last sigma.
struct SigmaGrid {
  std::vector<double> timesteps, sigmas;
};
SigmaGrid multistepGrid(const NoiseSchedule& schedule, int64_t steps);

// This expresses sigma as the pair (alpha, sigma) of a variance-preserving process, and as half the log of its
// signal-to-noise ratio.
struct NoiseLevel {
  double alpha, sigma, lambda;
};
NoiseLevel noiseLevel(double sigma);

}  // namespace dan::diffusion
