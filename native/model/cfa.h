// This is the trained part of CFA (Lee et al., arXiv 2206.04325): it brings patch features of a backbone closer to a
// memory of good ones.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

// Averages each stage, (N, C, h, w), over windows of 3 x 3, resizes it to the size of the first, and joins them.
at::Tensor joinedPatches(const std::vector<at::Tensor>& stages);

class CfaDescriptor {
 public:
  CfaDescriptor(const nn::Weights& weights, int64_t channels);
  // Turns patches, (N, C, h, w), into as many features, from the patches and their places: a row and a column in
  // -1 .. 1.
  at::Tensor forward(const at::Tensor& patches) const;

 private:
  nn::Conv2d conv_;
};

}  // namespace dan::model
