// DINOv2 (Oquab et al., arXiv 2304.07193) is a vision transformer that was trained without labels.
#pragma once

#include <vector>

#include "model/backbone.h"
#include "nn/layers.h"

namespace dan::model {

struct Dinov2Config {
  int64_t width = 384, depth = 12, heads = 6;  // ViT-S
  int64_t patch = 14;
};

class Dinov2Backbone : public Backbone {
 public:
  Dinov2Backbone(const nn::Weights& weights, const Dinov2Config& config);
  // Resizes images bilinearly to the nearest multiples of the patch's side. Returns the outputs of the blocks at one
  // quarter, one half, three quarters and the end of the depth, each through the last norm.
  std::vector<at::Tensor> firstStages(const at::Tensor& images, size_t count) const override;

 private:
  struct Block {
    nn::LayerNorm norm1, norm2;
    nn::Linear qkv, projection, up, down;
    at::Tensor attentionScale, mlpScale;  // (width)
  };
  at::Tensor positions(int64_t rows, int64_t columns) const;
  at::Tensor attention(const Block& block, const at::Tensor& x) const;

  Dinov2Config config_;
  nn::Conv2d patches_;
  at::Tensor classToken_;  // (1, 1, width)
  at::Tensor positions_;   // (1, 1 + side * side, width)
  std::vector<Block> blocks_;
  nn::LayerNorm norm_;
};

}  // namespace dan::model
