#include "detect/score_map.h"

#include "core/error.h"
#include "core/gaussian_filter.h"

namespace dan::detect {

namespace {

constexpr double kCutOff = 4;  // in units of sigma

}  // namespace

at::Tensor cosineDistance(const at::Tensor& a, const at::Tensor& b) { return 1 - at::cosine_similarity(a, b, 1); }

at::Tensor resizedMaps(const at::Tensor& maps, int64_t height, int64_t width, bool alignCorners) {
  return at::upsample_bilinear2d(maps.unsqueeze(1), {height, width}, alignCorners).squeeze(1);
}

at::Tensor meanOfMaps(const std::vector<at::Tensor>& maps, int64_t height, int64_t width) {
  std::vector<at::Tensor> resized;
  for (const at::Tensor& map : maps) resized.push_back(resizedMaps(map, height, width));
  return at::stack(resized).mean(0);
}

at::Tensor gaussianSmoothed(const at::Tensor& maps, double sigma) {
  const auto radius = static_cast<int64_t>(kCutOff * sigma + 0.5);
  if (std::min(maps.size(1), maps.size(2)) <= radius) {
    fail(kInvalidOption, "Expected maps with sides of more than ", radius, " pixels but received ", maps.size(1), " x ",
         maps.size(2), ": use a larger resolution");
  }
  return gaussianBlur(maps.unsqueeze(1), sigma, radius).squeeze(1);
}

}  // namespace dan::detect
