// This is DevNet (Pang et al., arXiv 2108.00462): a residual network and a head that scores the places of its last
// stage, at two scales.
#pragma once

#include <vector>

#include "model/score_heads.h"

namespace dan::model {

class DevNet {
 public:
  DevNet(const nn::Weights& weights, const ResNetConfig& config);
  // images: (N, 3, H, W), normalised, sides of at least 64. Returns the scores of the places, 0 or more, for each
  // scale: (N, h, w).
  std::vector<at::Tensor> forward(const at::Tensor& images, bool training = false) const;
  // Returns the score of each image, (N), for those maps: the mean over scales of the mean of the largest tenth.
  static at::Tensor scores(const std::vector<at::Tensor>& maps);

 private:
  ResNet net_;
  PlaceHead head_;
};

}  // namespace dan::model
