// These are the trained parts of reverse distillation (RD4AD, Deng and Li, arXiv 2201.10703), with the parameter names
// of the published code: a one-class bottleneck embedding of a teacher's first three stages, and a decoder that
// mirrors the teacher.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/conv_norm.h"

namespace dan::model {

struct ReverseDistillationConfig {
  std::vector<int64_t> channels;            // of the teacher's stages with strides 4, 8 and 16
  std::vector<int64_t> blocks = {2, 2, 2};  // the decoder's blocks for each stage, from the coarsest on
  int64_t embeddingBlocks = 2;
  bool bottleneck = false;  // blocks of three convolutions (ResNet-50) instead of two (ResNet-18)
  int64_t widthFactor = 1;  // 2 in Wide ResNets: widens the middle convolution of a bottleneck block

  // Returns the form that mirrors the backbone of that name. Backbones other than ResNets get ResNet-18's blocks.
  static ReverseDistillationConfig of(const std::string& backbone, std::vector<int64_t> channels);
};

class ReverseDistillation {
 public:
  // Throws ERR_INVALID_OPTION unless there are three stages.
  ReverseDistillation(const nn::Weights& weights, const ReverseDistillationConfig& config);
  // Returns what the decoder makes of the teacher's stages: three tensors of the shapes of `stages`. Throws
  // ERR_INVALID_OPTION unless the sides halve from stage to stage and those of the last are even.
  std::vector<at::Tensor> forward(const std::vector<at::Tensor>& stages, bool training = false) const;

 private:
  // This layer doubles the sides. Its convolution is transposed, with a kernel and a stride of 2.
  struct DoublingConvNorm {
    at::Tensor kernel;  // (in, out, 2, 2)
    nn::BatchNorm2d norm;
    at::Tensor operator()(const at::Tensor& x, bool training) const;
  };
  using Layer = std::function<at::Tensor(const at::Tensor& x, bool training)>;
  // The first block of a stage changes the shape, so it has a shortcut.
  struct Block {
    std::vector<Layer> layers;
    Layer shortcut;
    at::Tensor operator()(const at::Tensor& x, bool training) const;
  };
  enum class Resize { kNone, kHalve, kDouble };
  static Layer layer(const nn::Weights& conv, const nn::Weights& norm, int64_t in, int64_t out, int64_t size,
                     Resize resize);
  Block block(const nn::Weights& weights, int64_t in, int64_t out, Resize resize) const;
  std::vector<Block> blocks(const nn::Weights& weights, int64_t count, int64_t in, int64_t out, Resize resize) const;

  ReverseDistillationConfig config_;
  nn::ConvNorm fineFirst_, fineSecond_, middle_;  // They bring the first and second stage to the third's shape.
  std::vector<Block> embedding_;
  std::vector<std::vector<Block>> decoder_;  // from the coarsest stage on
};

}  // namespace dan::model
