// The masker turns an anomaly part into a mask.
#pragma once

#include "io/safetensors.h"
#include "model/u2net.h"

namespace dan::mask {

// Applies U2-Net with its published preprocessing and postprocessing.
class U2netMasker {
 public:
  // Reads .pth (zip or legacy) or .safetensors. The weights determine the network's size.
  U2netMasker(const std::string& path, const at::Device& device);

  // image: (H, W, 3) uint8. Returns the saliency of its pixels, (H, W) float32 in [0, 1], stretched to the full range.
  // The map is all zero if the image lacks contrast or the network finds nothing in it. Throws ERR_NON_FINITE naming
  // the weights.
  at::Tensor saliency(const at::Tensor& image) const;
  const model::U2net& network() const { return *network_; }

 private:
  std::unique_ptr<model::U2net> network_;
  std::string path_;
  at::Device device_;
  int64_t inputSize_;  // training resolution of the network; 320 for published weights
};

// Returns true if a part, (H, W, 3) uint8, has one colour apart from grain. A mask of such a part would be chance.
bool lacksContrast(const at::Tensor& part);

// This is the published preprocessing. image: (3, H, W) in [0, 1]. It is resized to size x size, divided by its
// maximum, and normalised by ImageNet's mean and deviation. Returns (1, 3, size, size).
at::Tensor prepareForU2net(const at::Tensor& image, int64_t size);
// Computes x / max(x), then (x - mean) / std of ImageNet. images: (N, 3, H, W), already of the network's size.
at::Tensor normalizeForU2net(const at::Tensor& images);

// This is the published postprocessing, (x - min) / (max - min). The result is all zero if the map is flat.
at::Tensor spreadRange(const at::Tensor& map);

// Returns the distance of each pixel from `fill` in its most different channel, (H, W) float32 in [0, 1]. The distance
// shrinks if no neighbour confirms it, and rises to the median of its neighbourhood if that is larger: specks vanish,
// holes close and edges stay in place. The map is all zero if the part lacks contrast. part: (H, W, 3) uint8; fill: 0
// to 255.
at::Tensor distanceFromFill(const at::Tensor& part, double fill);

// Holes up to this share of a mask's area are filled. Annotators fill holes: those of the 198 masks that we looked at,
// of twelve types of defects, have at most 12 pixels. A larger hole may be the inside of a crack that closes on itself.
constexpr double kLargestHole = 0.1;

// Returns 255 where the distance of the part from `fill` is at least `threshold`, and in the holes of that, else 0. (H,
// W) uint8.
at::Tensor thresholdMask(const at::Tensor& part, double fill, double threshold);

// Returns 255 where `map` is at least `threshold`, else 0. (H, W) uint8.
at::Tensor binarize(const at::Tensor& map, double threshold);

}  // namespace dan::mask
