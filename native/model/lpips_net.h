// This is LPIPS (arXiv 1801.03924), version 0.1. It combines torchvision's backbones with the published linear layers.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

class LpipsNet {
 public:
  // backbone: "features.N…" of torchvision's AlexNet, VGG-16 or SqueezeNet 1.1, recognised by its tensors; linear:
  // "linN.model.1.weight" of LPIPS for the same network. Throws ERR_WEIGHTS_INVALID.
  LpipsNet(const nn::Weights& backbone, const nn::Weights& linear);
  // a, b: (N, 3, H, W) in [-1, 1]. Returns the distances, (N).
  at::Tensor distance(const at::Tensor& a, const at::Tensor& b) const;

  // Returns the features at the taps, each (N, C, h, w) and of unit length at every position. Computing them once saves
  // time when many distances between few images are needed.
  std::vector<at::Tensor> features(const at::Tensor& x) const;
  at::Tensor distance(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) const;

 private:
  // A layer is one convolution, or a fire module of three, with ReLU.
  struct Layer {
    std::vector<nn::Conv2d> convolutions;
    int64_t poolBefore = 0;  // side of the max pool (stride 2) before the layer; 0: none
    bool tap = false;        // LPIPS compares the output of this layer.
    at::Tensor operator()(const at::Tensor& x) const;
  };
  void addAlexNet(const nn::Weights& backbone);
  void addVgg16(const nn::Weights& backbone);
  void addSqueezeNet(const nn::Weights& backbone);

  std::vector<Layer> layers_;
  std::vector<at::Tensor> linear_;
};

}  // namespace dan::model
