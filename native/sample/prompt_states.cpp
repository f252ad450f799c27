#include "sample/prompt_states.h"

#include <algorithm>
#include <numeric>

namespace dan::sample {

at::Tensor encodePrompts(const model::BaseModel& base, const dual::Adapter& adapter, const Prompts& prompts,
                         int64_t pairs, bool isGuided) {
  const auto encode = [&](const std::string& global, const std::string& anomaly) {
    return base.textEncoder->forward(base.tokenize({global, anomaly}), adapter.textHook()).repeat({pairs, 1, 1});
  };
  const at::Tensor conditional = encode(prompts.global, prompts.anomaly);
  if (!isGuided) return conditional;
  return at::cat({encode(prompts.negative, prompts.negative), conditional});
}

std::vector<int64_t> anomalyTokens(const model::BaseModel& base, const Prompts& prompts) {
  const int64_t count = std::max<int64_t>(base.tokenizer->countTokens(prompts.anomaly), 1);
  std::vector<int64_t> tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), 1);
  return tokens;
}

}  // namespace dan::sample
