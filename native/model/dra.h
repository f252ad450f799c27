// This is DRA (Ding et al., arXiv 2203.14506): a residual network whose last stage four heads score, at two scales. One
// learns what whole good images look like; three learn defects: those that were seen, pseudo defects that are made of
// good images, and whatever differs from good reference images.
#pragma once

#include <vector>

#include "model/score_heads.h"

namespace dan::model {

class Dra {
 public:
  // One of each for both scales.
  struct Scale {
    at::Tensor features;   // (N, C, h, w)
    at::Tensor reference;  // the mean features of the reference images, (1, C, h, w)
  };
  struct Heads {
    at::Tensor holistic;                // (N)
    at::Tensor seen, pseudo, residual;  // (N, h, w), 0 or more
  };

  Dra(const nn::Weights& weights, const ResNetConfig& config);
  // images: (N, 3, H, W), normalised, sides of at least 64.
  std::vector<at::Tensor> features(const at::Tensor& images, bool training = false) const;
  std::vector<Heads> heads(const std::vector<Scale>& scales, bool training = false) const;

 private:
  ResNet net_;
  nn::Linear holisticFirst_, holisticSecond_;
  PlaceHead seen_, pseudo_, residual_;
  nn::Conv2d residualConv_;
  nn::BatchNorm2d residualNorm_;
};

// The heads' scores of each image, (N), averaged over the scales.
struct DraScores {
  at::Tensor holistic, seen, pseudo, residual;
  // The three heads of defects add to the score, and the holistic head, which knows good images, lowers it.
  at::Tensor total() const { return seen + pseudo + residual - holistic; }
};
DraScores draScores(const std::vector<Dra::Heads>& heads);

}  // namespace dan::model
