// This comparison measures generated images by the features that a network has of them.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace dan::metrics {

struct FeatureComparison {
  // The kernel inception distance (arXiv 1801.01401) with the polynomial kernel (x . y / D + 1)^3: the unbiased
  // estimate of the squared distance of all images at once. It is near 0 for images of one distribution, and may be
  // negative. NaN if either set has fewer than two images.
  double kernelDistance;
  // The median cosine distance, 0 .. 2, from a generated image to the nearest real one.
  double nearest;
  // The median from a real image to the nearest one of another part. NaN if all show one part.
  double nearestReal;
  // The share of generated images that are nearer to a real one than any two real ones of different parts are to each
  // other. NaN if all real ones show one part.
  double copies;
};

// generated: (N, D), real: (M, D), both float. parts has M numbers, equal for images of one part. Throws
// ERR_INVALID_OPTION if the sizes do not fit, a set is empty, or a feature is not finite.
FeatureComparison compareFeatures(const at::Tensor& generated, const at::Tensor& real,
                                  const std::vector<int64_t>& parts);

}  // namespace dan::metrics
