// Square windows of the training pictures at full scale, and the places where an inpainting UNet draws in them.
#pragma once

#include "model/inpaint_condition.h"
#include "model/vae.h"
#include "pretrain/training_data.h"

namespace dan::pretrain {

struct Windows {
  at::Tensor pixels;  // (B, 3, size, size) in [-1, 1]
  at::Tensor masks;   // (B, 1, size, size) float32, 0 or 1

  // The anomaly parts: the rest is 0, which is mid-grey.
  at::Tensor parts() const { return pixels * masks; }
};

// Cuts a window of `size` pixels out of each picture of `index`, as training does (train::RegionWindows), and mirrors
// and turns it at random. `size` is at most the pictures'.
Windows drawWindows(const TrainingData& data, const at::Tensor& index, int64_t size, at::Generator generator);

// Draws the place of each picture, as training does (train::drawPlace). masks: (B, 1, size, size). Returns the same
// shape.
at::Tensor drawPlaces(const at::Tensor& masks, at::Generator generator);

// The latents of windows, all scaled. Rows are pair-major: image, part.
struct EncodedPairs {
  at::Tensor clean;                   // (B * 2, 4, h, w)
  model::InpaintCondition condition;  // of as many rows
  at::Tensor weights;                 // (B * 2, 1, h, w), of the loss, with mean 1 in every row
};
EncodedPairs encodePairs(const model::Vae& vae, const Windows& windows, const at::Tensor& places);

}  // namespace dan::pretrain
