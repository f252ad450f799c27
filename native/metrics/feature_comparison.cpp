#include "metrics/feature_comparison.h"

#include <limits>

#include "core/error.h"
#include "metrics/undefined.h"

namespace dan::metrics {

namespace {

at::Tensor kernel(const at::Tensor& a, const at::Tensor& b) {
  return (at::matmul(a, b.t()) / static_cast<double>(a.size(1)) + 1).pow(3);
}

// The mean of a kernel matrix without its diagonal, so that no image is compared with itself.
double meanOfOthers(const at::Tensor& values) {
  const auto count = static_cast<double>(values.size(0));
  return (values.sum() - values.diagonal().sum()).item<double>() / (count * (count - 1));
}

at::Tensor normalized(const at::Tensor& features) {
  return features / features.norm(2, {1}, /*keepdim=*/true).clamp_min(std::numeric_limits<double>::min());
}

}  // namespace

FeatureComparison compareFeatures(const at::Tensor& generated, const at::Tensor& real,
                                  const std::vector<int64_t>& parts) {
  const bool isFit = generated.dim() == 2 && real.dim() == 2 && generated.size(1) == real.size(1) &&
                     real.size(0) == static_cast<int64_t>(parts.size());
  if (!isFit || generated.numel() == 0 || real.numel() == 0) {
    fail(kInvalidOption, "Expected features (N, D) and (M, D) of at least one image each, and M parts, but received ",
         generated.sizes(), ", ", real.sizes(), " and ", parts.size(), " parts");
  }
  const at::Tensor a = generated.to(at::kDouble), b = real.to(at::kDouble);
  if (!at::isfinite(a).all().item<bool>() || !at::isfinite(b).all().item<bool>()) {
    fail(kInvalidOption, "Expected finite features of images");
  }
  FeatureComparison result{kNaN, kNaN, kNaN, kNaN};
  if (a.size(0) > 1 && b.size(0) > 1) {
    result.kernelDistance =
        meanOfOthers(kernel(a, a)) + meanOfOthers(kernel(b, b)) - 2 * kernel(a, b).mean().item<double>();
  }
  const at::Tensor unit = normalized(b);
  const at::Tensor nearest = (1 - at::matmul(normalized(a), unit.t())).amin(1);
  result.nearest = nearest.median().item<double>();
  const at::Tensor part = at::tensor(parts, at::kLong);
  const at::Tensor isOther = part.unsqueeze(1) != part.unsqueeze(0);
  if (!isOther.any().item<bool>()) return result;
  const at::Tensor between = (1 - at::matmul(unit, unit.t())).masked_fill(~isOther, 3.0).amin(1);
  result.nearestReal = between.median().item<double>();
  result.copies = (nearest < between.min()).to(at::kDouble).mean().item<double>();
  return result;
}

}  // namespace dan::metrics
