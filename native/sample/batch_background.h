// The backgrounds of one batch of pairs, as its background pass takes them.
#pragma once

#include <string>
#include <vector>

#include "sample/backgrounds.h"
#include "sample/pair_noise.h"

namespace dan::sample {

struct BatchBackground {
  const Backgrounds& backgrounds;
  const diffusion::ScheduleConfig& schedule;
  PairNoise& noise;  // it is asked at every step where the noise of backgrounds is fresh
  const std::vector<int64_t>& indices;
  bool isGuided = false;
  // It tells models and prompts apart whose features must not be mixed up in the store.
  std::string maker;
};

// Takes each background once, however many pairs of the batch show it; with fresh noise one a pair, because each has
// its own. With guidance the unconditional half has the zero image, as published. What `batch` refers to must outlive
// the result.
BackgroundInputs backgroundInputs(const BatchBackground& batch);

}  // namespace dan::sample
