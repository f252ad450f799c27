// These functions encode the prompts of a batch for the UNet's cross-attention.
#pragma once

#include <string>
#include <vector>

#include "dual/adapter.h"
#include "model/base_model.h"

namespace dan::sample {

struct Prompts {
  std::string global = "a vfx with sks", anomaly = "sks", negative;
};

// Returns (pairs * 2, 77, D), or with guidance (2 * pairs * 2, 77, D), the unconditional half with the negative prompt
// first. Rows are (pair, branch).
at::Tensor encodePrompts(const model::BaseModel& base, const dual::Adapter& adapter, const Prompts& prompts,
                         int64_t pairs, bool isGuided);

// Returns the anomaly prompt's own tokens among the 77, which follow the start token. There is at least one.
std::vector<int64_t> anomalyTokens(const model::BaseModel& base, const Prompts& prompts);

}  // namespace dan::sample
