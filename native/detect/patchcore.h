// PatchCore (Roth et al., CVPR 2022, arXiv 2106.08265) compares local features of an image with those of good images.
#pragma once

#include "core/task.h"
#include "detect/detector.h"
#include "model/backbone.h"

namespace dan::detect {

// Returns the features of patches, (N, C, h, w), of images, (N, 3, H, W), normalised for ImageNet. They are the second
// and the third stage of the backbone, averaged over 3x3 places, with the coarser resized to the finer.
at::Tensor patchFeatures(const model::Backbone& backbone, const at::Tensor& images);
// Returns C.
int64_t patchChannels(const model::Backbone& backbone);

// The memory bank holds features of good patches.
class MemoryBank {
 public:
  // patches: (M, C) float, M at least 1.
  explicit MemoryBank(at::Tensor patches);

  struct Nearest {
    at::Tensor distances, indices;  // (n) float and (n) int64, in the bank
  };
  // Finds the nearest patch of the bank for features, (n, C). Takes blocks, so that memory does not grow with n.
  Nearest nearest(const at::Tensor& features, const Task& task) const;

  // Returns the score of an image of these patches, (p, C), with their nearest ones. It is the largest distance,
  // weighted less if the nearest patch lies in a region of the bank that is equally far from the image's patch
  // (equation 7).
  at::Tensor imageScore(const at::Tensor& features, const Nearest& nearest) const;

  const at::Tensor& patches() const { return patches_; }

 private:
  at::Tensor patches_, squares_;  // (M, C); (M) squared lengths
};

// Scores images, (N, 3, H, W), normalised for ImageNet. The map holds the distances, resized bilinearly and smoothed
// with a Gaussian of 4 pixels.
Scored patchcoreScores(const model::Backbone& backbone, const MemoryBank& bank, const at::Tensor& images,
                       const Task& task);

}  // namespace dan::detect
