// This is Inception v3 (Szegedy et al., arXiv 1512.00567) with torchvision's parameter names.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

class InceptionV3 {
 public:
  // Takes torchvision's file and ignores its auxiliary classifier. Throws ERR_WEIGHTS_INVALID.
  explicit InceptionV3(const nn::Weights& weights);
  // x: (N, 3, H, W) in 0 .. 1; it is resized to the network's 299 pixels. Returns the mean of the last block's features
  // over the pixels, (N, 2048).
  at::Tensor features(const at::Tensor& x) const;
  // Returns logits (N, 1000).
  at::Tensor forward(const at::Tensor& x) const { return classifier_(features(x)); }

  // A unit is a convolution without bias, followed by batch norm and ReLU.
  struct Unit {
    at::Tensor kernel;
    nn::BatchNorm2d norm;
    int64_t stride = 1;
    bool padded = true;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  using Chain = std::vector<Unit>;
  struct Branch {
    Chain chain, fork;  // Every unit of the fork takes the output of the chain.
  };
  struct Block {
    std::vector<Branch> branches;
    // It belongs to the branch that averages. A block that halves the sides takes maxima and has none.
    Chain afterPool;
    // Concatenates the outputs of the branches, with that of the pool last.
    at::Tensor operator()(const at::Tensor& x) const;
  };

 private:
  Chain beforePool_, afterPool_;
  std::vector<Block> blocks_;
  nn::Linear classifier_;
};

}  // namespace dan::model
