#include "model/score_heads.h"

#include <algorithm>

namespace dan::model {

at::Tensor topTenthMean(const at::Tensor& maps) {
  const at::Tensor places = maps.flatten(1);
  const int64_t count = std::max<int64_t>(places.size(1) / 10, 1);
  return std::get<0>(places.topk(count, 1)).mean(1);
}

std::vector<at::Tensor> featuresAtTwoScales(const ResNet& net, const at::Tensor& images, bool training) {
  // The published code halves an image by its nearest pixels.
  const at::Tensor half = at::upsample_nearest2d(images, {images.size(2) / 2, images.size(3) / 2});
  return {net.stages(images, training).back(), net.stages(half, training).back()};
}

}  // namespace dan::model
