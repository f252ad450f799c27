// From an anomaly part to a mask.
#pragma once

#include "io/safetensors.h"
#include "model/u2net.h"

namespace dan::mask {

// U2-Net as a masker, with its published preparation and finish.
class U2netMasker {
 public:
  // Reads .pth (zip or legacy) or .safetensors; the network's size is read off the weights.
  U2netMasker(const std::string& path, const at::Device& device);

  // image: (H, W, 3) uint8. Returns the saliency of its pixels, (H, W) float32 in [0, 1], spread to the full range; all
  // zero where the image lacks contrast or the network finds nothing in it. Throws ERR_NON_FINITE naming the weights.
  at::Tensor saliency(const at::Tensor& image) const;
  const model::U2net& network() const { return *network_; }

 private:
  std::unique_ptr<model::U2net> network_;
  std::string path_;
  at::Device device_;
  int64_t inputSize_;  // the side the network was trained at: 320 for published weights
};

// Whether a part, (H, W, 3) uint8, is one colour but for grain: nothing is to be seen in it, and what a network or a
// threshold makes of it is chance.
bool lacksContrast(const at::Tensor& part);

// The published preparation: (3, H, W) in [0, 1] resized to size x size, divided by its maximum, ImageNet mean and
// deviation. Returns (1, 3, size, size).
at::Tensor prepareForU2net(const at::Tensor& image, int64_t size);
// x / max(x), then (x - mean) / std of ImageNet, for images of the network's size already. (N, 3, H, W).
at::Tensor normalizeForU2net(const at::Tensor& images);

// (x - min) / (max - min), the published finish; all zero where the map is flat.
at::Tensor spreadRange(const at::Tensor& map);

// The largest channel's distance from `fill`, less where no neighbour confirms it, and the neighbours' median where
// that is more, so that specks go, holes close and edges stay where they are: (H, W) float32 in [0, 1]; all zero where
// the part lacks contrast. part: (H, W, 3) uint8; fill: 0 to 255.
at::Tensor distanceFromFill(const at::Tensor& part, double fill);

// 255 where `map` is at least `threshold`, else 0. (H, W) uint8.
at::Tensor binarize(const at::Tensor& map, double threshold);

}  // namespace dan::mask
