#include "sample/known_ground.h"

#include <algorithm>

#include "core/error.h"
#include "dual/branch.h"

namespace dan::sample {

at::Tensor KnownGround::writtenInto(const at::Tensor& sample, const diffusion::Scheduler& scheduler,
                                    size_t call) const {
  return place * sample + (1 - place) * scheduler.addNoise(latents, noise, call);
}

at::Tensor forBranches(const at::Tensor& pairs) { return dual::packBranches(pairs, pairs); }

int64_t remainingSteps(double strength, int64_t steps) {
  if (!(strength > 0 && strength <= 1)) {
    fail(kInvalidOption, "Expected a number above 0 and up to 1 for strength but received ", strength);
  }
  const auto remaining = std::min(static_cast<int64_t>(static_cast<double>(steps) * strength), steps);
  if (remaining == 0) {
    fail(kInvalidOption, "Expected at least ", 1 / static_cast<double>(steps), " for strength with ", steps,
         " steps but received ", strength, ": no step would remain");
  }
  return remaining;
}

}  // namespace dan::sample
