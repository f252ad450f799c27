// LPIPS (arXiv 1801.03924), version 0.1, from torchvision's backbones and LPIPS's linear layers as published.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

class LpipsNet {
 public:
  // backbone: "features.N…" of torchvision's AlexNet, VGG-16 or SqueezeNet 1.1, told apart by their tensors; linear:
  // "linN.model.1.weight" of LPIPS for the same network. Throws ERR_WEIGHTS_INVALID.
  LpipsNet(const nn::Weights& backbone, const nn::Weights& linear);
  // a, b: (N, 3, H, W) in [-1, 1]. Returns the distances, (N).
  at::Tensor distance(const at::Tensor& a, const at::Tensor& b) const;

  // What is compared: the taps' features, each (N, C, h, w) and of unit length at every position. For many distances
  // of few images.
  std::vector<at::Tensor> features(const at::Tensor& x) const;
  at::Tensor distance(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) const;

 private:
  // A layer with its ReLU: one convolution, or a fire module's three.
  struct Layer {
    std::vector<nn::Conv2d> convolutions;
    int64_t poolBefore = 0;  // side of the maximum taken before it, in steps of 2; 0: none
    bool tap = false;        // LPIPS compares after it
    at::Tensor operator()(const at::Tensor& x) const;
  };
  void addAlexNet(const nn::Weights& backbone);
  void addVgg16(const nn::Weights& backbone);
  void addSqueezeNet(const nn::Weights& backbone);

  std::vector<Layer> layers_;
  std::vector<at::Tensor> linear_;
};

}  // namespace dan::model
