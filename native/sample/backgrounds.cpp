#include "sample/backgrounds.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include "core/finite.h"
#include "core/pixel_values.h"
#include "core/random.h"
#include "dual/background.h"

namespace dan::sample {

namespace {

std::unique_ptr<FeatureStore> storeOf(const BackgroundOptions& options) {
  const KeepFeatures where = parseKeepFeatures(options.keepFeatures);
  return where == KeepFeatures::kNo ? nullptr : std::make_unique<FeatureStore>(where);
}

// Each pair has a stream of the seed, counted from 0. The streams of backgrounds are counted from the other end.
constexpr uint64_t kPosteriorStream = ~uint64_t{0} - 1, kNoiseStream = uint64_t{1} << 63;

at::Tensor encodeScaled(const model::BaseModel& base, const at::Tensor& pixelValues, bool scaled,
                        at::Generator generator) {
  const auto posterior = base.vae->encode(pixelValues);
  const at::Tensor noise = randn(posterior.mean.sizes(), std::move(generator)).to(posterior.mean.device());
  return posterior.sample(noise) * (scaled ? base.vae->config().scalingFactor : 1.0);
}

// Returns the mean over the positions without foreground, (1, 4), or over all positions if all are foreground.
at::Tensor latentMeanOf(const at::Tensor& latent, const at::Tensor& foreground) {
  const at::Tensor kept = 1 - at::ceil(at::adaptive_avg_pool2d(foreground, latent.sizes().slice(2)));
  const at::Tensor weights = kept.sum().item<double>() > 0 ? kept : at::ones_like(kept);
  return (latent * weights).sum({2, 3}) / weights.sum();
}

}  // namespace

Backgrounds::Backgrounds(const model::BaseModel& base, const BackgroundPixels& pixels, BackgroundOptions options,
                         const Task& task)
    : options_(std::move(options)), keptFeatures_(storeOf(options_)) {
  RECORD_USER_SCOPE("encode the backgrounds");
  const at::NoGradGuard noGrad;
  const auto& [images, foregrounds] = pixels;
  at::Generator generator = makeGenerator(options_.seed, kPosteriorStream);
  const double toScaled = options_.scaled ? 1.0 : base.vae->config().scalingFactor;
  std::vector<at::Tensor> encoded, means;
  for (int64_t i = 0; i < images.size(0); ++i) {
    task.checkCancelled();
    const at::Tensor image = toPixelValues(images.slice(0, i, i + 1).to(base.device()));
    const at::Tensor foreground = (foregrounds[i] > 0).to(base.device(), at::kFloat).unsqueeze(0).unsqueeze(0);
    encoded.push_back(encodeScaled(base, dual::blackOut(image, foreground), options_.scaled, generator));
    means.push_back(latentMeanOf(encoded.back(), foreground) * toScaled);
  }
  latents_ = at::cat(encoded);
  expectFinite(latents_, model::kVaeEncoder);
  latentMeans_ = at::cat(means);
  zeroLatent_ = encodeScaled(base, at::zeros({1, 3, images.size(1), images.size(2)}, latents_.options()),
                             options_.scaled, generator);
}

Backgrounds::Backgrounds(const model::BaseModel& base, at::Tensor latents, BackgroundOptions options)
    : options_(std::move(options)), latents_(std::move(latents)), keptFeatures_(storeOf(options_)) {
  const at::NoGradGuard noGrad;
  latentMeans_ = latents_.mean({2, 3}) * (options_.scaled ? 1.0 : base.vae->config().scalingFactor);
  const int64_t factor = base.vae->config().downscale();
  const at::Tensor zeros = at::zeros({1, 3, latents_.size(2) * factor, latents_.size(3) * factor}, latents_.options());
  zeroLatent_ = encodeScaled(base, zeros, options_.scaled, makeGenerator(options_.seed, kPosteriorStream));
}

at::Tensor Backgrounds::latents(const std::vector<int64_t>& which) const {
  std::vector<at::Tensor> rows;
  for (const int64_t one : which)
    rows.push_back(one == kZeroBackground ? zeroLatent_ : latents_.slice(0, one, one + 1));
  return at::cat(rows);
}

at::Tensor Backgrounds::latentMeans(const std::vector<int64_t>& which) const {
  return latentMeans_.index_select(0, at::tensor(which, at::kLong).to(latentMeans_.device()));
}

at::Tensor Backgrounds::noise(const std::vector<int64_t>& which) const {
  std::vector<at::Tensor> rows;
  for (const int64_t one : which) {
    rows.push_back(
        randn(zeroLatent_.sizes(), makeGenerator(options_.seed, kNoiseStream + static_cast<uint64_t>(one + 1))));
  }
  return at::cat(rows).to(latents_.device());
}

}  // namespace dan::sample
