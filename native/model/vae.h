// AutoencoderKL encodes images as latents and decodes them.
#pragma once

#include <optional>
#include <vector>

#include "model/config.h"
#include "nn/resnet_block.h"

namespace dan::model {

// This is a diagonal Gaussian over latents. Both tensors are (N, latentChannels, h, w); the log variance is clamped to
// [-30, 20].
struct LatentDistribution {
  at::Tensor mean, logVariance;
  at::Tensor sample(const at::Tensor& noise) const { return mean + at::exp(0.5 * logVariance) * noise; }
};

// The block consists of a residual block, single-head self-attention over all positions, and another residual block.
class VaeMidBlock {
 public:
  VaeMidBlock(const nn::Weights& weights, int64_t channels, int64_t groups);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  nn::ResnetBlock first_, second_;
  nn::GroupNorm norm_;
  nn::Linear toQ_, toK_, toV_, toOut_;
};

// Errors use these names.
inline constexpr const char* kVaeEncoder = "The VAE's encoder";
inline constexpr const char* kVaeDecoder = "The VAE's decoder";

class Vae {
 public:
  Vae(const nn::Weights& weights, const VaeConfig& config);
  const VaeConfig& config() const { return config_; }

  // pixelValues: (N, 3, H, W) in [-1, 1], H and W multiples of config().downscale(). The latents are not scaled.
  LatentDistribution encode(const at::Tensor& pixelValues) const;
  // latents: (N, 4, h, w), not scaled. Returns (N, 3, H, W), not clamped.
  at::Tensor decode(const at::Tensor& latents) const;

 private:
  struct Level {
    std::vector<nn::ResnetBlock> resnets;
    std::optional<nn::Conv2d> downsample;
    std::optional<nn::Upsample> upsample;
  };
  VaeConfig config_;
  at::TensorOptions options_;
  nn::Conv2d encoderIn_, encoderOut_, decoderIn_, decoderOut_, quantize_, dequantize_;
  std::vector<Level> down_, up_;
  VaeMidBlock encoderMid_, decoderMid_;
  nn::GroupNorm encoderNorm_, decoderNorm_;
};

// Renames the attention of published SD 1.5 autoencoders (query/key/value/proj_attn) to the current names. Flattens
// their matrices if the file stores them as 1x1 convolutions.
TensorMap withCurrentVaeNames(TensorMap tensors);

}  // namespace dan::model
