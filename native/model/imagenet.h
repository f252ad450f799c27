// Networks that were trained on ImageNet expect images whose channels have its mean and deviation.
#pragma once

#include <ATen/ATen.h>

namespace dan::model {

inline constexpr double kImagenetMean[] = {.485, .456, .406}, kImagenetDeviation[] = {.229, .224, .225};

inline at::Tensor perChannel(at::ArrayRef<double> values, const at::Tensor& like) {
  return at::tensor(values, like.options()).view({1, -1, 1, 1});
}

// images: (N, 3, H, W) in 0 .. 1.
inline at::Tensor normalizeForImagenet(const at::Tensor& images) {
  return (images - perChannel(kImagenetMean, images)) / perChannel(kImagenetDeviation, images);
}

// This is the inverse.
inline at::Tensor denormalizeFromImagenet(const at::Tensor& images) {
  return images * perChannel(kImagenetDeviation, images) + perChannel(kImagenetMean, images);
}

}  // namespace dan::model
