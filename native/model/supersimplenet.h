// SuperSimpleNet (arXiv 2408.03143): two small heads on the features of a frozen backbone. One gives the map, the other
// the score of the image.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace dan::model {

// Makes one feature map of two or more stages of a backbone, (N, C, h, w), fine to coarse: all are resized to twice the
// size of the first, joined, and averaged over 3x3 neighbourhoods. Returns (N, sum of C, 2 h, 2 w).
at::Tensor joinStages(const std::vector<at::Tensor>& stages);

struct SuperSimpleWidths {
  int64_t features = 1536;                            // the channels of the joined stages
  int64_t segmentation = 1024, classification = 128;  // the hidden channels of the heads, as published
};

class SuperSimpleNet {
 public:
  SuperSimpleNet(const nn::Weights& weights, SuperSimpleWidths widths);

  // Adapts joined features, (N, C, h, w), to the task. Their shape stays the same.
  at::Tensor adapt(const at::Tensor& features) const;

  struct Output {
    at::Tensor map;    // (N, 1, h, w) logits of a defect at each place
    at::Tensor score;  // (N) logits of a defect in the image
  };
  // With `separateHeads`, the gradient of the score does not reach the map, as published for training without defects.
  Output forward(const at::Tensor& adapted, bool training = false, bool separateHeads = false) const;

 private:
  nn::Conv2d adaptor_, segmentation_;
  nn::BatchNorm2d segmentationNorm_, classificationNorm_;
  at::Tensor mapKernel_;  // (1, segmentation, 1, 1); this convolution has no bias
  nn::Conv2d classification_;
  nn::Linear score_;
};

// Resizes maps, (N, 1, h, w), to `height` and `width`, which must be greater than 12, and smooths them with a Gaussian
// of sigma 4, as published. Returns (N, height, width).
at::Tensor resizeSmoothly(const at::Tensor& maps, int64_t height, int64_t width);

}  // namespace dan::model
