// TAESD (madebyollin/taesd) is a small decoder that replaces the VAE's for previews and fast decoding.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/layers.h"

namespace dan::model {

inline constexpr const char* kTaesdDecoder = "The TAESD decoder";  // Errors use this name.

class Taesd {
 public:
  // Reads a diffusers folder or file of AutoencoderTiny, or the original taesd_decoder (.safetensors, .pth). Throws
  // ERR_WEIGHTS_INVALID if the tensors are not such a decoder.
  Taesd(const std::string& path, const at::Device& device);

  // latents: (N, 4, h, w), scaled as the UNet sees them. Returns (N, 3, H, W), roughly in [-1, 1].
  at::Tensor decode(const at::Tensor& latents) const;
  // Returns the number of pixels per latent along each side.
  int64_t upscale() const { return upscale_; }
  int64_t latentChannels() const { return input_.weight.size(1); }

 private:
  struct Block {
    nn::Conv2d first, second, third;
  };
  // A stage consists of blocks, an upsampling if another stage follows, and a convolution.
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
