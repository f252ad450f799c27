#include "place/paste_back.h"

#include <algorithm>

#include "augment/box_filter.h"
#include "core/pixel_values.h"

namespace dan::place {

namespace {

// The ground of a defect reaches this share of the window's side beyond its mask.
constexpr double kNearestGround = 1 / 16.;
// A ground that is as even as this share of the range has no grain that could hide a defect.
constexpr double kLeastNoise = 0.01;

// difference: (H, W), as a share of the range; photograph: (H, W, C) uint8; mask: (H, W) bool, not empty.
double contrastToNoise(const at::Tensor& difference, const at::Tensor& photograph, const at::Tensor& mask) {
  const int64_t reach = std::max<int64_t>(1, static_cast<int64_t>(kNearestGround * static_cast<double>(mask.size(0))));
  const at::Tensor ground = photograph.to(at::kFloat).mean(-1).masked_select(augment::dilated(mask, reach)) / 255;
  const double noise = ground.std(/*unbiased=*/false).item<double>();
  return difference.masked_select(mask).mean().item<double>() / std::max(noise, kLeastNoise);
}

// Returns (H, W, C). picture: (h, w, C) float.
at::Tensor resized(const at::Tensor& picture, int64_t height, int64_t width) {
  const at::Tensor planes = picture.permute({2, 0, 1}).unsqueeze(0).contiguous();
  return at::_upsample_bilinear2d_aa(planes, {height, width}, /*align_corners=*/false)[0].permute({1, 2, 0});
}

}  // namespace

at::Tensor withChange(const at::Tensor& photograph, const at::Tensor& change, const at::Tensor& soft) {
  const at::Tensor added = soft.unsqueeze(-1) * change * kLevelsPerUnit;
  return (photograph.to(added.scalar_type()) + added).round().clamp(0, 255).to(at::kByte);
}

at::Tensor softened(const at::Tensor& mask) {
  const at::Tensor wide = at::max_pool2d(mask.to(at::kFloat).unsqueeze(0), 3, 1, 1);
  // Pixels beyond the edges count as the nearest ones, so that a mask keeps 1 there.
  return at::avg_pool2d(at::replication_pad2d(wide, {1, 1, 1, 1}), 3, 1)[0];
}

Pasted pasteBack(const at::Tensor& photograph, const at::Tensor& change, const at::Tensor& mask) {
  const int64_t height = photograph.size(0), width = photograph.size(1);
  at::Tensor fitting = resized(change, height, width);
  if (photograph.size(2) == 1) fitting = fitting.mean(-1, true);
  const at::Tensor inside = resized((mask > 0).to(at::kFloat).unsqueeze(-1), height, width).squeeze(-1) >= 0.5;
  Pasted pasted;
  pasted.image = withChange(photograph, fitting, softened(inside)).contiguous();
  pasted.mask = inside.to(at::kByte).mul(255).contiguous();
  const at::Tensor difference =
      (pasted.image.to(at::kFloat) - photograph.to(at::kFloat)).abs().amax(-1) / 255;  // (H, W)
  pasted.contrast = (difference * inside).max().item<double>();
  if (inside.any().item<bool>()) pasted.contrastToNoise = contrastToNoise(difference, photograph, inside);
  const at::Tensor changed = difference >= kVisible;
  const auto count = [](const at::Tensor& pixels) { return static_cast<double>(pixels.sum().item<int64_t>()); };
  const double all = count(changed | inside);
  if (all > 0) pasted.fit = count(changed & inside) / all;
  return pasted;
}

}  // namespace dan::place
