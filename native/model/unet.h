// UNet2DConditionModel predicts the noise in latents.
#pragma once

#include <optional>
#include <vector>

#include "model/config.h"
#include "nn/resnet_block.h"
#include "nn/transformer_block.h"

namespace dan::model {

// DeepCache (arXiv 2312.00858) keeps the features of the inner levels for the next calls, because they change little
// from step to step. Those calls compute only the outermost level.
struct InnerFeatures {
  at::Tensor kept;     // input of the last up level
  bool reuse = false;  // If true and `kept` has as many rows, the call uses `kept` instead of computing it.
};

class Unet {
 public:
  Unet(const nn::Weights& weights, const UnetConfig& config);
  Unet(const Unet&) = delete;  // attentionLayers() returns pointers into the object.
  Unet& operator=(const Unet&) = delete;
  const UnetConfig& config() const { return config_; }
  at::ScalarType dtype() const { return dtype_; }
  at::Device device() const { return convIn_.weight.device(); }

  // sample: (N, inChannels, h, w); timesteps: (N); encoderHiddenStates: (N, 77, crossAttentionDim).
  // Returns (N, outChannels, h, w) in the model's dtype. Every attention layer that runs calls `attention`.
  at::Tensor forward(const at::Tensor& sample, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                     const nn::AttentionFunction& attention = nn::plainAttention, InnerFeatures* inner = nullptr) const;

  // The order is that of diffusers' attention processors: down, up, mid.
  std::vector<const nn::AttentionLayer*> attentionLayers() const;

 private:
  struct Level {
    std::vector<nn::ResnetBlock> resnets;
    std::vector<nn::Transformer2d> attentions;  // as many as resnets, or none
    std::optional<nn::Conv2d> downsample;
    std::optional<nn::Upsample> upsample;
  };
  void buildDown(const nn::Weights& weights);
  void buildUp(const nn::Weights& weights);
  int64_t timeWidth() const { return 4 * config_.blockOutChannels.front(); }

  UnetConfig config_;
  at::ScalarType dtype_;
  nn::Conv2d convIn_, convOut_;
  nn::Linear time1_, time2_;
  std::vector<Level> down_, up_;
  nn::ResnetBlock midFirst_, midSecond_;
  nn::Transformer2d midAttention_;
  nn::GroupNorm normOut_;
};

}  // namespace dan::model
