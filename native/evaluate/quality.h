// What generated images are like, by networks whose weights the user supplies.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "core/task.h"

namespace dan::evaluate {

// Images are (H, W, 3) uint8 each, of any one size.
using Images = std::vector<at::Tensor>;

// Inception Score (arXiv 1606.03498) by torchvision's Inception v3: each image stretched to 299 pixels, one split.
// Throws ERR_WEIGHTS_INVALID.
double inceptionScoreOf(const Images& images, const std::string& weights, at::Device device, const Task& task);

struct LpipsFiles {
  std::string backbone;  // torchvision's AlexNet, VGG-16 or SqueezeNet 1.1
  std::string linear;    // LPIPS's layers for it
};

// Intra-cluster LPIPS (arXiv 2104.06820) of generated images around real ones of the same size; 0 where no real image
// has two generated ones near it. Throws ERR_WEIGHTS_INVALID.
double icLpipsOf(const Images& generated, const Images& real, const LpipsFiles& files, at::Device device,
                 const Task& task);

}  // namespace dan::evaluate
