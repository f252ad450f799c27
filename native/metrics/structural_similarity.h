// The structural similarity of images (SSIM, Wang et al., IEEE Transactions on Image Processing 2004).
#pragma once

#include <ATen/ATen.h>

namespace dan::metrics {

// Compares two batches of images in 0 .. 1, (N, C, H, W), in Gaussian windows of 11 pixels with a sigma of 1.5. Beyond
// the borders both images count as 0, as in DRAEM's published loss. Returns the similarity of each pixel and channel,
// (N, C, H, W), at most 1. It can be differentiated.
at::Tensor structuralSimilarity(const at::Tensor& a, const at::Tensor& b);

}  // namespace dan::metrics
