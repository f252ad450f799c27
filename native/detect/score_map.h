// Detectors that compare features share these steps from features to a map of anomaly scores.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace dan::detect {

// Returns 1 - the cosine of the angle between the features, (N, C, h, w), at each place: (N, h, w) in 0 .. 2.
at::Tensor cosineDistance(const at::Tensor& a, const at::Tensor& b);

// Resizes maps, (N, h, w), to (N, height, width) by bilinear interpolation. `alignCorners` is PyTorch's.
at::Tensor resizedMaps(const at::Tensor& maps, int64_t height, int64_t width, bool alignCorners = false);

// Returns the mean of maps of several sizes, (N, h, w), resized to (N, height, width).
at::Tensor meanOfMaps(const std::vector<at::Tensor>& maps, int64_t height, int64_t width);

// Smooths maps, (N, H, W), with a Gaussian of `sigma` pixels that is cut off at 4 sigma. The maps are mirrored at their
// borders. Their sides must be longer than 4 sigma.
at::Tensor gaussianSmoothed(const at::Tensor& maps, double sigma);

}  // namespace dan::detect
