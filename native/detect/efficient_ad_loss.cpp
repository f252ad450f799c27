#include "detect/efficient_ad_loss.h"

#include <cmath>

#include "detect/score_map.h"
#include "model/efficient_ad.h"

namespace dan::detect {

namespace {

at::Tensor squaredDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).square(); }
at::Tensor firstHalf(const at::Tensor& student) { return student.chunk(2, 1)[0]; }
at::Tensor secondHalf(const at::Tensor& student) { return student.chunk(2, 1)[1]; }

}  // namespace

at::Tensor hardStudentLoss(const at::Tensor& teacher, const at::Tensor& student) {
  constexpr double kQuantile = 0.999;
  const at::Tensor differences = squaredDifference(teacher, firstHalf(student)).flatten();
  const int64_t last = differences.numel() - 1;
  const int64_t hard = last + 1 - static_cast<int64_t>(std::ceil(kQuantile * static_cast<double>(last)));
  return std::get<0>(differences.topk(hard)).mean();
}

at::Tensor autoencoderLoss(const at::Tensor& teacher, const at::Tensor& student, const at::Tensor& autoencoder) {
  return squaredDifference(teacher, autoencoder).mean() + squaredDifference(autoencoder, secondHalf(student)).mean();
}

PatchMaps patchMaps(const at::Tensor& teacher, const at::Tensor& student, const at::Tensor& autoencoder) {
  return {squaredDifference(teacher, firstHalf(student)).mean(1),
          squaredDifference(autoencoder, secondHalf(student)).mean(1)};
}

at::Tensor mapQuantiles(const PatchMaps& maps) {
  const at::Tensor shares = at::tensor({0.9, 0.995}, at::kDouble);
  const auto quantiles = [&](const at::Tensor& map) {
    return at::quantile(map.flatten().to(at::kCPU, at::kDouble), shares);
  };
  return at::stack({quantiles(maps.teacher), quantiles(maps.autoencoder)});
}

at::Tensor combinedMap(const PatchMaps& maps, const at::Tensor& quantiles, int64_t height, int64_t width) {
  constexpr double kHigh = 0.1, kSmallestRange = 1e-12;  // Maps of one value have no range.
  constexpr int64_t kBorder = model::PatchDescriptionNet::kMissingBorder;
  const at::Tensor values = quantiles.cpu();
  const auto scaled = [&](const at::Tensor& map, int64_t row) {
    const double low = values[row][0].item<double>(), high = values[row][1].item<double>();
    const at::Tensor padded = at::constant_pad_nd(map, {kBorder, kBorder, kBorder, kBorder});
    return kHigh * (resizedMaps(padded, height, width) - low) / std::max(high - low, kSmallestRange);
  };
  return (scaled(maps.teacher, 0) + scaled(maps.autoencoder, 1)) / 2;
}

at::Tensor withChangedColours(const at::Tensor& images, Rng& rng) {
  constexpr double kChange = 0.2;
  enum : int64_t { kBrightness, kContrast, kSaturation, kKinds };
  const at::Tensor parts = at::tensor({0.2989, 0.587, 0.114}, images.options()).view({3, 1, 1});  // of luminance
  std::vector<at::Tensor> changed;
  for (const at::Tensor& image : images.unbind()) {
    const int64_t kind = rng.below(kKinds);
    const double factor = rng.uniform(1 - kChange, 1 + kChange);
    const at::Tensor grey = (image * parts).sum(0, /*keepdim=*/true);
    const at::Tensor from = kind == kBrightness ? at::zeros_like(grey) : kind == kContrast ? grey.mean() : grey;
    changed.push_back((factor * image + (1 - factor) * from).clamp(0, 1));
  }
  return at::stack(changed);
}

}  // namespace dan::detect
