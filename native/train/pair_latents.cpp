#include "train/pair_latents.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include "core/finite.h"
#include "core/random.h"
#include "dual/background.h"

namespace dan::train {

PairLatents::PairLatents(const model::BaseModel& base, const TrainingPixels& pixels, const Task& task)
    : scalingFactor_(base.vae->config().scalingFactor) {
  RECORD_USER_SCOPE("encode the training images");
  const at::NoGradGuard noGrad;
  const auto asMask = [&](const at::Tensor& mask) {
    return (mask > 0).to(base.device(), at::kFloat).unsqueeze(0).unsqueeze(0);
  };
  const std::vector<std::vector<int64_t>> flips =
      pixels.flips ? std::vector<std::vector<int64_t>>{{}, {3}, {2}, {2, 3}} : std::vector<std::vector<int64_t>>{{}};
  std::vector<at::Tensor> means, deviations, defects, backgroundMeans, backgroundDeviations;
  for (int64_t i = 0; i < pixels.images.size(0); ++i) {
    const at::Tensor image = pixels.images[i].permute({2, 0, 1}).unsqueeze(0).to(base.device(), at::kFloat) / 127.5 - 1;
    const at::Tensor mask = asMask(pixels.masks[i]);
    for (const auto& dims : flips) {
      task.checkCancelled();
      const at::Tensor flipped = image.flip(dims), flippedMask = mask.flip(dims);
      const auto pair = base.vae->encode(dual::packBranches(flipped, anomalyPart(flipped, flippedMask, pixels.fill)));
      means.push_back(pair.mean);
      deviations.push_back(at::exp(0.5 * pair.logVariance));
      const auto touched = at::adaptive_max_pool2d(flippedMask[0], pair.mean.sizes().slice(2));
      defects.push_back(at::max_pool2d(std::get<0>(touched), 3, 1, 1));
      if (!pixels.foregrounds.defined()) continue;
      const auto background = base.vae->encode(dual::blackOut(flipped, asMask(pixels.foregrounds[i]).flip(dims)));
      backgroundMeans.push_back(background.mean[0]);
      backgroundDeviations.push_back(at::exp(0.5 * background.logVariance)[0]);
    }
  }
  const auto byImage = [&](const std::vector<at::Tensor>& rows) {
    return at::stack(rows).unflatten(0, {-1, static_cast<int64_t>(flips.size())});
  };
  mean_ = byImage(means);
  deviation_ = byImage(deviations);
  defect_ = byImage(defects);
  expectFinite(mean_, model::kVaeEncoder);
  expectFinite(deviation_, model::kVaeEncoder);
  if (!pixels.foregrounds.defined()) return;
  backgroundMean_ = byImage(backgroundMeans);
  backgroundDeviation_ = byImage(backgroundDeviations);
  expectFinite(backgroundMean_, model::kVaeEncoder);
  expectFinite(backgroundDeviation_, model::kVaeEncoder);
}

at::Tensor PairLatents::latentMeans() const {
  const at::Tensor means = (mean_.mean({4, 5}) * scalingFactor_).flatten(0, 1);  // (N * variants, branches, channels)
  return at::stack({means.mean(0), means.std(0, /*unbiased=*/false)}).cpu();
}

at::Tensor PairLatents::draw(const at::Tensor& index, const at::Tensor& variant, at::Generator generator) const {
  const at::Tensor mean = mean_.index({index, variant}).flatten(0, 1);
  const at::Tensor deviation = deviation_.index({index, variant}).flatten(0, 1);
  return (mean + deviation * randn(mean.sizes(), std::move(generator)).to(mean.device())) * scalingFactor_;
}

at::Tensor PairLatents::drawBackground(const at::Tensor& index, const at::Tensor& variant, bool scaled,
                                       at::Generator generator) const {
  const at::Tensor mean = backgroundMean_.index({index, variant});
  const at::Tensor deviation = backgroundDeviation_.index({index, variant});
  const at::Tensor latents = mean + deviation * randn(mean.sizes(), std::move(generator)).to(mean.device());
  return latents * (scaled ? scalingFactor_ : 1.0);
}

at::Tensor PairLatents::defect(const at::Tensor& index, const at::Tensor& variant) const {
  return defect_.index({index, variant});
}

}  // namespace dan::train
