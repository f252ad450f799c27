// LPIPS (arXiv 1801.03924) over SqueezeNet 1.1, version 0.1, from torchvision's and LPIPS's files as published.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

class LpipsSqueeze {
 public:
  // backbone: "features.N…" of torchvision; linear: "linN.model.1.weight" of LPIPS.
  LpipsSqueeze(const nn::Weights& backbone, const nn::Weights& linear);
  // a, b: (N, 3, H, W) in [-1, 1]. Returns the distances, (N).
  at::Tensor distance(const at::Tensor& a, const at::Tensor& b) const;

 private:
  struct Fire {
    nn::Conv2d squeeze, expand1, expand3;
  };
  std::vector<at::Tensor> features(const at::Tensor& x) const;

  nn::Conv2d first_;
  std::vector<Fire> fires_;
  std::vector<at::Tensor> linear_;
};

}  // namespace dan::model
