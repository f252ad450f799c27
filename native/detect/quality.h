// These functions measure the quality of generated images with networks whose weights are files.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "core/task.h"

namespace dan::detect {

// Each image is (H, W, 3) uint8. All have the same size, which may be any.
using Images = std::vector<at::Tensor>;

// Computes the Inception Score (arXiv 1606.03498) with torchvision's Inception v3. Each image is resized to 299 pixels,
// and all form one split. Throws ERR_WEIGHTS_INVALID.
double inceptionScoreOf(const Images& images, const std::string& weights, at::Device device, const Task& task);

// Returns what a network says of each image, (N, D) on the CPU: its last features, averaged over the places. `network`
// is a backbone (see model/backbone.h), for which images are resized to 224 pixels, or inception-v3, whose 2048
// features are those of KID. Throws ERR_INVALID_OPTION for another name, and ERR_WEIGHTS_INVALID.
at::Tensor imageFeaturesOf(const Images& images, const std::string& network, const std::string& weights,
                           at::Device device, const Task& task);

struct LpipsFiles {
  std::string backbone;  // torchvision's AlexNet, VGG-16 or SqueezeNet 1.1
  std::string linear;    // LPIPS's layers for the backbone
};

// Computes intra-cluster LPIPS (arXiv 2104.06820): the clusters are generated images around real ones of the same size.
// Returns 0 if no real image has two generated ones near it. Throws ERR_WEIGHTS_INVALID.
double icLpipsOf(const Images& generated, const Images& real, const LpipsFiles& files, at::Device device,
                 const Task& task);

}  // namespace dan::detect
