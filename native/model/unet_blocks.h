// DRAEM's two networks (arXiv 2108.07610) are made of these blocks.
#pragma once

#include "nn/layers.h"

namespace dan::model {

// A 3x3 convolution, batch norm and ReLU.
class ConvNormRelu {
 public:
  // The convolution has the number `index` in `block`, and the norm the next one.
  ConvNormRelu(const nn::Weights& block, int64_t index, int64_t in, int64_t out);
  at::Tensor operator()(const at::Tensor& x, bool training) const;

 private:
  nn::Conv2d conv_;
  nn::BatchNorm2d norm_;
};

class DoubleConv {
 public:
  DoubleConv(const nn::Weights& block, int64_t in, int64_t middle, int64_t out);
  at::Tensor operator()(const at::Tensor& x, bool training) const;

 private:
  ConvNormRelu first_, second_;
};

// Doubles height and width by bilinear interpolation, then convolves.
class UpConv {
 public:
  UpConv(const nn::Weights& block, int64_t in, int64_t out);
  at::Tensor operator()(const at::Tensor& x, bool training) const;

 private:
  ConvNormRelu conv_;
};

}  // namespace dan::model
