#include "pretrain/windows.h"

#include <ATen/core/grad_mode.h>

#include "dual/branch.h"
#include "pretrain/recipe.h"

namespace dan::pretrain {

namespace {

constexpr double kWholeWindow = 1.0 / 6, kDilated = 0.5;
// These shares of the loss belong to the place and to the defect, whatever their size. Most of a picture is known
// ground, which the UNet only has to copy.
constexpr double kPlaceShare = 0.4, kDefectShare = 0.25;
// Smaller areas count as if they filled this share of the window. Otherwise a single latent would rule the loss.
constexpr double kSmallestShare = 0.02;

double drawNumber(at::Generator generator) { return at::rand({1}, std::move(generator), at::kFloat).item<double>(); }

int64_t drawBetween(int64_t low, int64_t high, at::Generator generator) {
  return low + drawIndices(high - low + 1, 1, std::move(generator)).item<int64_t>();
}

struct Range {
  int64_t first = 0, end = 0;
  int64_t length() const { return end - first; }
};

// Returns the rows (dim 0) or columns (dim 1) that the mask, (H, W), touches; an empty range if there is none.
Range touched(const at::Tensor& mask, int64_t dim) {
  const at::Tensor lines = mask.amax(1 - dim).nonzero();
  if (lines.size(0) == 0) return {};
  return {lines[0].item<int64_t>(), lines[-1].item<int64_t>() + 1};
}

// Draws the first line of a window along one axis of `length` pixels.
int64_t drawOffset(const Range& defect, int64_t length, int64_t size, at::Generator generator) {
  const int64_t last = length - size;
  if (defect.length() == 0) return drawBetween(0, last, std::move(generator));
  const bool fits = defect.length() <= size;
  const int64_t low = fits ? defect.end - size : defect.first, high = fits ? defect.first : defect.end - size;
  return drawBetween(std::clamp<int64_t>(low, 0, last), std::clamp<int64_t>(high, 0, last), std::move(generator));
}

// Widens a range at random at both ends, within [0, size).
Range widened(const Range& range, int64_t size, at::Generator generator) {
  const int64_t most = size / 16 + range.length() / 2;
  return {std::max<int64_t>(0, range.first - drawBetween(1, most, generator)),
          std::min(size, range.end + drawBetween(1, most, generator))};
}

Range randomRange(int64_t size, at::Generator generator) {
  const int64_t length = drawBetween(size / 16, size / 2, generator);
  const int64_t first = drawBetween(0, size - length, generator);
  return {first, first + length};
}

at::Tensor drawPlace(const at::Tensor& mask, at::Generator generator) {
  const int64_t size = mask.size(0);
  const Range rows = touched(mask, 0), columns = touched(mask, 1);
  if (drawNumber(generator) < kWholeWindow) return at::ones_like(mask);
  if (rows.length() > 0 && drawNumber(generator) < kDilated) {
    const int64_t radius = drawBetween(1, size / 8, generator);
    return at::max_pool2d(mask.view({1, 1, size, size}), 2 * radius + 1, 1, radius).view({size, size});
  }
  const bool empty = rows.length() == 0;
  const Range openRows = empty ? randomRange(size, generator) : widened(rows, size, generator);
  const Range openColumns = empty ? randomRange(size, generator) : widened(columns, size, generator);
  at::Tensor place = at::zeros_like(mask);
  place.slice(0, openRows.first, openRows.end).slice(1, openColumns.first, openColumns.end).fill_(1);
  return place;
}

// Returns weights of mean 1 on `area` (B, 1, h, w; 0 or 1), and 0 elsewhere. Without an area they are uniform.
at::Tensor spreadOver(const at::Tensor& area) {
  const at::Tensor share = area.mean({1, 2, 3}, true);
  const at::Tensor weights = area / share.clamp_min(kSmallestShare);
  return weights + (1 - weights.mean({1, 2, 3}, true));
}

}  // namespace

Windows drawWindows(const TrainingData& data, const at::Tensor& index, int64_t size, at::Generator generator) {
  std::vector<at::Tensor> images, masks;
  for (int64_t i = 0; i < index.size(0); ++i) {
    const int64_t row = index[i].item<int64_t>();
    const at::Tensor mask = data.masks[row];
    const int64_t y = drawOffset(touched(mask, 0), mask.size(0), size, generator);
    const int64_t x = drawOffset(touched(mask, 1), mask.size(1), size, generator);
    const int64_t variant = drawBetween(0, 7, generator);
    const auto cut = [&](const at::Tensor& of) {  // of: (H, W, channels)
      at::Tensor window = of.narrow(0, y, size).narrow(1, x, size);
      if (variant & 1) window = window.flip(0);
      if (variant & 2) window = window.flip(1);
      return variant & 4 ? window.transpose(0, 1) : window;
    };
    images.push_back(cut(data.images[row]));
    masks.push_back(cut(mask.unsqueeze(2)));
  }
  const auto planes = [](const std::vector<at::Tensor>& of) {
    return at::stack(of).permute({0, 3, 1, 2}).to(at::kFloat).contiguous();
  };
  return {planes(images).div_(127.5).sub_(1), planes(masks)};
}

at::Tensor drawPlaces(const at::Tensor& masks, at::Generator generator) {
  std::vector<at::Tensor> places;
  for (const at::Tensor& mask : masks.squeeze(1).unbind()) places.push_back(drawPlace(mask, generator));
  return at::stack(places).unsqueeze(1);
}

PairLatents encodePairs(const model::Vae& vae, const Windows& windows, const at::Tensor& places) {
  const at::NoGradGuard noGrad;
  const int64_t count = places.size(0), factor = vae.config().downscale();
  const at::Tensor masked = windows.pixels * (1 - places);
  const at::Tensor blank = at::zeros_like(windows.pixels.slice(0, 0, 1));
  const at::Tensor all = at::cat({windows.pixels, windows.parts(), masked, blank});
  const std::vector<at::Tensor> latents =
      (vae.encode(all).mean * vae.config().scalingFactor).split_with_sizes({count, count, count, 1});
  const auto bothBranches = [](const at::Tensor& of) { return dual::packBranches(of, of); };
  const at::Tensor open = bothBranches(at::max_pool2d(places, factor, factor));
  const at::Tensor defect = bothBranches(at::max_pool2d(windows.masks, factor, factor));
  return {dual::packBranches(latents[0], latents[1]),
          {open, dual::packBranches(latents[2], latents[3].expand_as(latents[2]))},
          (1 - kPlaceShare - kDefectShare) + kPlaceShare * spreadOver(open) + kDefectShare * spreadOver(defect)};
}

}  // namespace dan::pretrain
