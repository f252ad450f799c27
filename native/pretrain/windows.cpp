#include "pretrain/windows.h"

#include <ATen/core/grad_mode.h>

#include "core/pixel_values.h"
#include "dual/branch.h"
#include "pretrain/narrow_products.h"
#include "train/drawn_place.h"
#include "train/region_windows.h"

namespace dan::pretrain {

namespace {

// These shares of the loss belong to the place and to the defect, whatever their size. Most of a picture is known
// ground, which the UNet only has to copy.
constexpr double kPlaceShare = 0.4, kDefectShare = 0.25;
// Smaller areas count as if they filled this share of the window. Otherwise a single latent would rule the loss.
constexpr double kSmallestShare = 0.02;

// Returns weights of mean 1 on `area` (B, 1, h, w; 0 or 1), and 0 elsewhere. Without an area they are uniform.
at::Tensor spreadOver(const at::Tensor& area) {
  const at::Tensor share = area.mean({1, 2, 3}, true);
  const at::Tensor weights = area / share.clamp_min(kSmallestShare);
  return weights + (1 - weights.mean({1, 2, 3}, true));
}

}  // namespace

Windows drawWindows(const TrainingData& data, const at::Tensor& index, int64_t size, at::Generator generator) {
  Rng rng(std::move(generator));
  std::vector<at::Tensor> images, masks;
  for (int64_t i = 0; i < index.size(0); ++i) {
    const int64_t row = index[i].item<int64_t>();
    const train::Window window = train::RegionWindows(data.masks[row], size).draw(rng);
    const bool isUpsideDown = rng.coin(), isMirrored = rng.coin(), isTurned = rng.coin();
    const auto cut = [&](const at::Tensor& picture) {  // (H, W, channels)
      at::Tensor shown = window.cut(picture);
      if (isUpsideDown) shown = shown.flip(0);
      if (isMirrored) shown = shown.flip(1);
      return isTurned ? shown.transpose(0, 1) : shown;
    };
    images.push_back(cut(data.images[row]));
    masks.push_back(cut(data.masks[row].unsqueeze(2)));
  }
  return {toPixelValues(at::stack(images)).contiguous(), at::stack(masks).permute({0, 3, 1, 2}).to(at::kFloat)};
}

at::Tensor drawPlaces(const at::Tensor& masks, at::Generator generator) {
  Rng rng(std::move(generator));
  std::vector<at::Tensor> places;
  for (const at::Tensor& mask : masks.split(1)) places.push_back(train::drawPlace(mask, train::Recipes::kBoth, rng));
  return at::cat(places);
}

EncodedPairs encodePairs(const model::Vae& vae, const Windows& windows, const at::Tensor& places) {
  const at::NoGradGuard noGrad;
  const NarrowProducts narrow;
  const int64_t count = places.size(0), factor = vae.config().downscale();
  const at::Tensor masked = train::hidePlace(windows.pixels, places);
  const at::Tensor blank = at::zeros_like(windows.pixels.slice(0, 0, 1));
  const at::Tensor all = at::cat({windows.pixels, windows.parts(), masked, blank});
  const std::vector<at::Tensor> latents =
      (vae.encode(all).mean.to(at::kFloat) * vae.config().scalingFactor).split_with_sizes({count, count, count, 1});
  const auto bothBranches = [](const at::Tensor& of) { return dual::packBranches(of, of); };
  const at::Tensor open = bothBranches(at::max_pool2d(places, factor, factor));
  const at::Tensor defect = bothBranches(at::max_pool2d(windows.masks, factor, factor));
  return {dual::packBranches(latents[0], latents[1]),
          {open, dual::packBranches(latents[2], latents[3].expand_as(latents[2]))},
          (1 - kPlaceShare - kDefectShare) + kPlaceShare * spreadOver(open) + kDefectShare * spreadOver(defect)};
}

}  // namespace dan::pretrain
