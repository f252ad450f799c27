#include "sample/batch_background.h"

#include <algorithm>

#include "diffusion/noise_schedule.h"
#include "sample/blank_condition.h"

namespace dan::sample {

namespace {

// It holds the numbers of the batch's backgrounds, and the background of each row as an index into them.
struct Shown {
  std::vector<int64_t> numbers, ofRow;

  void add(int64_t number, bool isShared) {
    const auto found = std::find(numbers.begin(), numbers.end(), number);
    const bool isNew = !isShared || found == numbers.end();
    ofRow.push_back(isNew ? static_cast<int64_t>(numbers.size()) : found - numbers.begin());
    if (isNew) numbers.push_back(number);
  }
};

// A background is drawn from a whole image, so nothing of it is known ground. latents: (K, 4, h, w).
model::InpaintCondition backgroundCondition(const model::BaseModel& base, const at::Tensor& latents) {
  const int64_t downscale = base.vae->config().downscale();
  return blankCondition(base, downscale * latents.size(2), downscale * latents.size(3), latents.size(0));
}

}  // namespace

BackgroundInputs backgroundInputs(const BatchBackground& batch) {
  const Backgrounds& backgrounds = batch.backgrounds;
  const bool isFresh = backgrounds.options().freshNoise, isGuided = batch.isGuided;
  Shown shown;
  if (isGuided) {
    for (size_t i = 0; i < batch.indices.size(); ++i) shown.add(kZeroBackground, !isFresh);
  }
  for (const int64_t index : batch.indices) shown.add(backgrounds.of(index), !isFresh);
  BackgroundInputs inputs;
  inputs.ofPair = shown.ofRow;
  const at::Tensor latents = backgrounds.latents(shown.numbers), fixedNoise = backgrounds.noise(shown.numbers);
  const model::InpaintCondition condition = backgroundCondition(batch.base, latents);
  inputs.noisy = [&schedule = batch.base.schedule, &noise = batch.noise, latents, fixedNoise, condition, isFresh,
                  isGuided](size_t, double timestep) {
    at::Tensor added = fixedNoise;
    if (isFresh) added = isGuided ? at::cat({noise.drawOneBranch(), noise.drawOneBranch()}) : noise.drawOneBranch();
    const at::Tensor t = at::full({latents.size(0)}, static_cast<int64_t>(timestep), at::kLong);
    return condition.appendTo(diffusion::NoiseSchedule(schedule).addNoise(latents, added, t));
  };
  if (isFresh || backgrounds.keptFeatures() == nullptr) return inputs;
  inputs.store = backgrounds.keptFeatures();
  inputs.numbers = shown.numbers;
  inputs.store->begin(batch.maker, shown.numbers);
  return inputs;
}

}  // namespace dan::sample
