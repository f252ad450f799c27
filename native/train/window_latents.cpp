#include "train/window_latents.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include "core/finite.h"
#include "dual/background.h"
#include "dual/branch.h"
#include "train/drawn_place.h"

namespace dan::train {

namespace {

// Draws which of the last two axes to flip, each with probability one half.
std::vector<int64_t> drawFlips(Rng& rng) {
  std::vector<int64_t> dims;
  for (const int64_t dim : {-1, -2}) {
    if (rng.coin()) dims.push_back(dim);
  }
  return dims;
}

}  // namespace

WindowLatents::WindowLatents(const model::BaseModel& base, TrainingRegions all, const Task& task)
    : LatentSource(std::move(all)), base_(base) {
  RECORD_USER_SCOPE("encode the training images");
  const at::NoGradGuard noGrad;
  const int64_t side = data().resolution;
  std::vector<at::Tensor> means;
  for (const TrainingRegion& region : data().regions) windows_.emplace_back(region.mask, side);
  for (const int64_t i : defective()) {
    task.checkCancelled();
    const TrainingRegion& region = data().regions[static_cast<size_t>(i)];
    const at::Tensor latents = encodePairs(cut(region, region.centredWindow(side))).mean;
    expectFinite(latents, model::kVaeEncoder);
    means.push_back(latents.mean({2, 3}) * base.vae->config().scalingFactor);
  }
  const at::Tensor stacked = at::stack(means);  // (pairs, branches, channels)
  latentMeans_ = at::stack({stacked.mean(0), stacked.std(0, /*unbiased=*/false)}).cpu();
  if (!base.isInpainting()) return;
  greyLatents_ = base.plainLatents(0, side, side);
  blankPartLatents_ = base.plainLatents(blankValue(data().fill), side, side);
}

WindowLatents::Pixels WindowLatents::cut(const TrainingRegion& region, const Window& window) const {
  Pixels pixels{toPixelValues(window.cut(region.image).unsqueeze(0)), toMask(window.cut(region.mask), at::kCPU), {}};
  if (region.foreground.defined()) pixels.foregrounds = toMask(window.cut(region.foreground), at::kCPU);
  return pixels;
}

LatentGaussian WindowLatents::encode(const at::Tensor& images) const {
  const model::LatentDistribution latents = base_.vae->encode(images.to(base_.device()));
  return {latents.mean, at::exp(0.5 * latents.logVariance)};
}

// The branches are encoded one after the other, because together they need twice the memory.
LatentGaussian WindowLatents::encodePairs(const Pixels& pixels) const {
  const LatentGaussian image = encode(pixels.images);
  const LatentGaussian part = encode(anomalyPart(pixels.images, pixels.masks, data().fill));
  return {dual::packBranches(image.mean, part.mean), dual::packBranches(image.deviation, part.deviation)};
}

TrainingBatch WindowLatents::draw(const at::Tensor& index, at::Generator generator) const {
  RECORD_USER_SCOPE("encode the windows");
  const at::NoGradGuard noGrad;
  Rng rng(generator);
  std::vector<at::Tensor> images, masks, foregrounds, places;
  for (int64_t i = 0; i < index.size(0); ++i) {
    const auto chosen = static_cast<size_t>(index[i].item<int64_t>());
    const Pixels window = cut(data().regions[chosen], windows_[chosen].draw(rng));
    const std::vector<int64_t> dims = data().flips ? drawFlips(rng) : std::vector<int64_t>{};
    images.push_back(window.images.flip(dims));
    masks.push_back(window.masks.flip(dims));
    if (hasForegrounds()) foregrounds.push_back(window.foregrounds.flip(dims));
    if (base_.isInpainting()) places.push_back(drawPlace(masks.back(), data().recipes, rng));
  }
  Pixels pixels{at::cat(images), at::cat(masks), hasForegrounds() ? at::cat(foregrounds) : at::Tensor()};
  TrainingBatch batch;
  batch.latents = encodePairs(pixels).sample(generator) * base_.vae->config().scalingFactor;
  batch.defect = defectInLatents(pixels.masks, batch.latents.sizes().slice(2)).to(batch.latents.device());
  if (hasForegrounds()) batch.background = encode(dual::blackOut(pixels.images, pixels.foregrounds));
  if (base_.isInpainting()) addConditions(batch, pixels, at::cat(places));
  return batch;
}

void WindowLatents::addConditions(TrainingBatch& batch, const Pixels& pixels, const at::Tensor& places) const {
  const at::Tensor open = placeInLatents(places, batch.latents.sizes().slice(2)).to(batch.latents.device());
  const at::Tensor known = encode(hidePlace(pixels.images, places)).mean * base_.vae->config().scalingFactor;
  batch.condition = {open.repeat_interleave(dual::kNumBranches, 0),
                     dual::packBranches(known, blankPartLatents_.expand_as(known))};
  // Nothing of a background is known beforehand, as in sampling from noise.
  if (hasForegrounds()) batch.backgroundCondition = {at::ones_like(open), greyLatents_.expand_as(known)};
}

LatentGaussian WindowLatents::firstBackground() const {
  const at::NoGradGuard noGrad;
  const TrainingRegion& first = data().regions.front();
  const Pixels pixels = cut(first, first.centredWindow(data().resolution));
  return encode(dual::blackOut(pixels.images, pixels.foregrounds));
}

}  // namespace dan::train
