// Inception v3 (Szegedy et al., arXiv 1512.00567), with torchvision's parameter names.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

class InceptionV3 {
 public:
  // torchvision's file; its auxiliary classifier is not read. Throws ERR_WEIGHTS_INVALID.
  explicit InceptionV3(const nn::Weights& weights);
  // x: (N, 3, H, W) in 0 .. 1, stretched to the network's 299 pixels. Returns logits (N, 1000).
  at::Tensor forward(const at::Tensor& x) const;

  // A convolution without bias, normalised, with its ReLU.
  struct Unit {
    at::Tensor kernel;
    nn::BatchNorm2d norm;
    int64_t stride = 1;
    bool padded = true;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  using Chain = std::vector<Unit>;
  struct Branch {
    Chain chain, fork;  // the fork's units each see what the chain gives
  };
  struct Block {
    std::vector<Branch> branches;
    Chain afterPool;  // of the branch that takes averages; none where the block halves the sides and takes maxima
    // The branches' outputs beside each other, the pool's last.
    at::Tensor operator()(const at::Tensor& x) const;
  };

 private:
  Chain beforePool_, afterPool_;
  std::vector<Block> blocks_;
  nn::Linear classifier_;
};

}  // namespace dan::model
