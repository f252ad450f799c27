#include "train/pair_latents.h"

#include <ATen/core/grad_mode.h>

#include "core/random.h"

namespace dan::train {

at::Tensor anomalyPart(const at::Tensor& pixelValues, const at::Tensor& masks, PartFill fill) {
  // Published code multiplies images in [-1, 1], which blanks to mid-grey; black is -1.
  const at::Tensor part = pixelValues * masks;
  return fill == PartFill::kGrey ? part : part - (1 - masks);
}

PairLatents::PairLatents(const model::BaseModel& base, const at::Tensor& images, const at::Tensor& masks, PartFill fill,
                         bool flips, const Task& task)
    : scalingFactor_(base.vae->config().scalingFactor) {
  const at::NoGradGuard noGrad;
  const std::vector<std::vector<int64_t>> variants =
      flips ? std::vector<std::vector<int64_t>>{{}, {3}, {2}, {2, 3}} : std::vector<std::vector<int64_t>>{{}};
  std::vector<at::Tensor> means, deviations, defects;
  for (int64_t i = 0; i < images.size(0); ++i) {
    const at::Tensor image = images[i].permute({2, 0, 1}).unsqueeze(0).to(base.device(), at::kFloat) / 127.5 - 1;
    const at::Tensor mask = (masks[i] > 0).to(base.device(), at::kFloat).unsqueeze(0).unsqueeze(0);
    std::vector<at::Tensor> variantMeans, variantDeviations, variantDefects;
    for (const auto& dims : variants) {
      task.checkCancelled();
      const at::Tensor pixels = image.flip(dims), flippedMask = mask.flip(dims);
      const auto posterior = base.vae->encode(dual::packBranches(pixels, anomalyPart(pixels, flippedMask, fill)));
      variantMeans.push_back(posterior.mean);
      variantDeviations.push_back(at::exp(0.5 * posterior.logVariance));
      const auto touched = at::adaptive_max_pool2d(flippedMask[0], posterior.mean.sizes().slice(2));
      variantDefects.push_back(at::max_pool2d(std::get<0>(touched), 3, 1, 1));
    }
    means.push_back(at::stack(variantMeans));
    deviations.push_back(at::stack(variantDeviations));
    defects.push_back(at::stack(variantDefects));
  }
  mean_ = at::stack(means);
  deviation_ = at::stack(deviations);
  defect_ = at::stack(defects);
}

at::Tensor PairLatents::levels() const {
  const at::Tensor level = (mean_.mean({4, 5}) * scalingFactor_).flatten(0, 1);  // (N * variants, branches, channels)
  return at::stack({level.mean(0), level.std(0, /*unbiased=*/false)}).cpu();
}

at::Tensor PairLatents::draw(const at::Tensor& index, const at::Tensor& variant, at::Generator generator) const {
  const at::Tensor mean = mean_.index({index, variant}).flatten(0, 1);
  const at::Tensor deviation = deviation_.index({index, variant}).flatten(0, 1);
  return (mean + deviation * randn(mean.sizes(), std::move(generator)).to(mean.device())) * scalingFactor_;
}

at::Tensor PairLatents::defect(const at::Tensor& index, const at::Tensor& variant) const {
  return defect_.index({index, variant});
}

}  // namespace dan::train
