// U2-Net (Qin et al. 2020, arXiv 2005.09007) detects salient objects with nested U blocks. The weights determine its
// size: full, U2-NetP or smaller.
#pragma once

#include <array>
#include <vector>

#include "nn/weights.h"

namespace dan::model {

struct U2netConfig {
  struct Stage {
    int64_t mid, out;
  };
  static constexpr size_t kStages = 11;
  std::array<Stage, kStages> stages;  // encoder 1 to 6, decoder 5 to 1

  static U2netConfig fromWeights(const nn::Weights& weights);
  // U2-NetP has the same widths at every stage (16 and 64).
  static U2netConfig uniform(int64_t mid, int64_t out);
};

struct ConvBnRelu {
  at::Tensor weight, bias, normWeight, normBias, runningMean, runningVar;
  int64_t dilation = 1;
  ConvBnRelu(const nn::Weights& weights, int64_t in, int64_t out, int64_t dilation);
  at::Tensor operator()(const at::Tensor& x, bool training) const;
};

// A residual U block has `depth` levels that halve the resolution, or four levels of growing dilation if it is dilated.
class ResidualUBlock {
 public:
  ResidualUBlock(const nn::Weights& weights, int64_t in, U2netConfig::Stage stage, int64_t depth, bool isDilated);
  at::Tensor operator()(const at::Tensor& x, bool training) const;

 private:
  ConvBnRelu input_;
  std::vector<ConvBnRelu> encoder_, decoder_;  // decoder_[i] belongs to level i
  bool isDilated_;
};

class U2net {
 public:
  U2net(const nn::Weights& weights, const U2netConfig& config);
  // x: (N, 3, H, W), normalised. Returns d0 (the fusion) to d6, each (N, 1, H, W) before the sigmoid.
  std::vector<at::Tensor> forward(const at::Tensor& x, bool training = false) const;

 private:
  std::vector<ResidualUBlock> stages_;
  std::vector<at::Tensor> sideWeights_, sideBiases_;
  at::Tensor fuseWeight_, fuseBias_;
};

// State dicts of batch norms contain this buffer, which inference does not need.
inline constexpr const char* kBatchCount = "num_batches_tracked";

}  // namespace dan::model
