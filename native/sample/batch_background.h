// These functions prepare the backgrounds of one batch of pairs for its background pass.
#pragma once

#include <string>
#include <vector>

#include "sample/backgrounds.h"
#include "sample/pair_noise.h"

namespace dan::sample {

struct BatchBackground {
  const Backgrounds& backgrounds;
  const model::BaseModel& base;
  PairNoise& noise;  // used at every step if the noise of backgrounds is fresh
  const std::vector<int64_t>& indices;
  bool isGuided = false;
  // This identifies the model and the prompts, whose features must not be mixed in the store with others.
  std::string maker;
};

// Takes each background once, even if several pairs of the batch share it. With fresh noise it takes one for each pair,
// because the noise differs. With guidance the unconditional half has the zero image, as published. All that `batch`
// refers to must outlive the result.
BackgroundInputs backgroundInputs(const BatchBackground& batch);

}  // namespace dan::sample
