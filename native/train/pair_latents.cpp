#include "train/pair_latents.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include "core/finite.h"
#include "dual/background.h"
#include "dual/branch.h"

namespace dan::train {

PairLatents::PairLatents(const model::BaseModel& base, TrainingRegions all, const Task& task)
    : LatentSource(std::move(all)), scalingFactor_(base.vae->config().scalingFactor) {
  RECORD_USER_SCOPE("encode the training images");
  const at::NoGradGuard noGrad;
  const std::vector<std::vector<int64_t>> flips =
      data().flips ? std::vector<std::vector<int64_t>>{{}, {3}, {2}, {2, 3}} : std::vector<std::vector<int64_t>>{{}};
  std::vector<at::Tensor> means, deviations, defects, backgroundMeans, backgroundDeviations;
  for (const TrainingRegion& region : data().regions) {
    const at::Tensor image = toPixelValues(region.image.unsqueeze(0).to(base.device()));
    const at::Tensor mask = toMask(region.mask, base.device());
    for (const auto& dims : flips) {
      task.checkCancelled();
      const at::Tensor flipped = image.flip(dims), flippedMask = mask.flip(dims);
      const auto pair = base.vae->encode(dual::packBranches(flipped, anomalyPart(flipped, flippedMask, data().fill)));
      means.push_back(pair.mean);
      deviations.push_back(at::exp(0.5 * pair.logVariance));
      defects.push_back(defectInLatents(flippedMask, pair.mean.sizes().slice(2))[0]);
      if (!hasForegrounds()) continue;
      const at::Tensor foreground = toMask(region.foreground, base.device()).flip(dims);
      const auto background = base.vae->encode(dual::blackOut(flipped, foreground));
      backgroundMeans.push_back(background.mean[0]);
      backgroundDeviations.push_back(at::exp(0.5 * background.logVariance)[0]);
    }
  }
  const auto byImage = [&](const std::vector<at::Tensor>& rows) {
    return at::stack(rows).unflatten(0, {-1, static_cast<int64_t>(flips.size())});
  };
  pairs_ = {byImage(means), byImage(deviations)};
  defect_ = byImage(defects);
  if (hasForegrounds()) backgrounds_ = {byImage(backgroundMeans), byImage(backgroundDeviations)};
  for (const LatentGaussian& latents : {pairs_, backgrounds_}) {
    if (!latents.mean.defined()) continue;
    expectFinite(latents.mean, model::kVaeEncoder);
    expectFinite(latents.deviation, model::kVaeEncoder);
  }
}

at::Tensor PairLatents::latentMeans() const {
  const at::Tensor chosen = pairs_.mean.index({at::tensor(defective(), at::kLong)});
  // (chosen * variants, branches, channels)
  const at::Tensor means = (chosen.mean({4, 5}) * scalingFactor_).flatten(0, 1);
  return at::stack({means.mean(0), means.std(0, /*unbiased=*/false)}).cpu();
}

TrainingBatch PairLatents::draw(const at::Tensor& index, at::Generator generator) const {
  const int64_t variants = pairs_.mean.size(1);
  const at::Tensor variant = at::randint(variants, index.sizes(), generator, at::TensorOptions().dtype(at::kLong));
  const auto chosen = [&](const LatentGaussian& all) {
    return LatentGaussian{all.mean.index({index, variant}), all.deviation.index({index, variant})};
  };
  const LatentGaussian pairs = chosen(pairs_);
  TrainingBatch batch;
  batch.latents =
      LatentGaussian{pairs.mean.flatten(0, 1), pairs.deviation.flatten(0, 1)}.sample(generator) * scalingFactor_;
  batch.defect = defect_.index({index, variant});
  if (hasForegrounds()) batch.background = chosen(backgrounds_);
  return batch;
}

LatentGaussian PairLatents::firstBackground() const {
  return {backgrounds_.mean[0].slice(0, 0, 1), backgrounds_.deviation[0].slice(0, 0, 1)};
}

}  // namespace dan::train
