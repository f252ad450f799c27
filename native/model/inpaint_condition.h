// An inpainting UNet (Stable Diffusion inpainting) is given the known ground as more input channels.
#pragma once

#include <ATen/ATen.h>

namespace dan::model {

// Returns the input channels of an inpainting UNet: the noisy latents, the place, and the masked image's latents.
constexpr int64_t inpaintingChannels(int64_t latentChannels) { return 2 * latentChannels + 1; }

struct InpaintCondition {
  at::Tensor place;          // (N, 1, h, w): 1 where something new is drawn, 0 on known ground
  at::Tensor maskedLatents;  // (N, 4, h, w), scaled: the image with the place blanked to mid-grey

  bool defined() const { return place.defined(); }
  // Returns the UNet's input, (N, 9, h, w), in diffusers' order. Without a condition it returns the latents.
  at::Tensor appendTo(const at::Tensor& noisyLatents) const {
    return defined() ? at::cat({noisyLatents, place, maskedLatents}, 1) : noisyLatents;
  }
};

}  // namespace dan::model
