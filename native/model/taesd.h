// TAESD (madebyollin/taesd): a small decoder that stands in for the VAE's, for previews and fast decoding.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/layers.h"

namespace dan::model {

inline constexpr const char* kTaesdDecoder = "The TAESD decoder";  // as errors name it

class Taesd {
 public:
  // A diffusers folder or file of AutoencoderTiny, or the original taesd_decoder (.safetensors, .pth). Throws
  // ERR_WEIGHTS_INVALID where the tensors are no such decoder.
  Taesd(const std::string& path, const at::Device& device);

  // latents: (N, 4, h, w), scaled as the UNet sees them. Returns (N, 3, H, W), roughly in [-1, 1].
  at::Tensor decode(const at::Tensor& latents) const;
  // How many pixels a latent covers along each side.
  int64_t upscale() const { return upscale_; }
  int64_t latentChannels() const { return input_.weight.size(1); }

 private:
  struct Block {
    nn::Conv2d first, second, third;
  };
  // Blocks, then doubled in size where another stage follows, then a convolution.
  struct Stage {
    std::vector<Block> blocks;
    bool doubles = false;
    nn::Conv2d out;
  };
  nn::Conv2d input_;
  std::vector<Stage> stages_;
  int64_t upscale_ = 1;
};

}  // namespace dan::model
