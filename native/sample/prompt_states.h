// The prompts of a batch as the UNet's cross-attention sees them.
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

// Returns which of the 77 tokens are the anomaly prompt's own: those behind the start token, at least one.
std::vector<int64_t> anomalyTokens(const model::BaseModel& base, const Prompts& prompts);

}  // namespace dan::sample
