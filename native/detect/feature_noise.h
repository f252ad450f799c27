// SuperSimpleNet (arXiv 2408.03143) makes its own defects: Gaussian noise on the features at places of Perlin noise.
#pragma once

#include "core/rng.h"

namespace dan::detect {

// Features and what is true of them.
struct LabelledFeatures {
  at::Tensor features;  // (N, C, h, w)
  at::Tensor masks;     // (N, 1, h, w), 1 where a defect is, else 0
  at::Tensor labels;    // (N), 1 if the image has a defect, else 0
};

// Draws the places of `count` images, (count, 1, height, width) of 0 and 1. They are where Perlin noise is greater than
// `threshold`, with 1 to 32 cells along each side. Half of the images have no places, as published.
at::Tensor drawNoisePlaces(int64_t count, int64_t height, int64_t width, double threshold, Rng& rng);

// Doubles the batch, and adds `noise`, (2 N, C, h, w), to the features at `places`, (2 N, 1, h, w), except where a
// defect is already. The places become part of the masks.
LabelledFeatures withNoise(const LabelledFeatures& given, const at::Tensor& places, const at::Tensor& noise);

// Resizes masks, (N, H, W) bool, to (N, 1, height, width) of 0 and 1: bilinear, then 1 from one half on.
at::Tensor resizedMasks(const at::Tensor& masks, int64_t height, int64_t width);

}  // namespace dan::detect
