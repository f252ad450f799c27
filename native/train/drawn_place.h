// Training of an inpainting base draws a place for each pair: the pixels that the model may change.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "core/rng.h"

namespace dan::train {

// The recipe `noise` draws whole windows, and `place` draws inside of places. kBoth is for an adapter that serves both.
enum class Recipes { kBoth, kNoise, kPlace };

// Takes both, noise or place.
Recipes parseRecipes(const std::string& name);

// Draws a place that holds the whole defect: its mask, dilated at random; its bounding box, widened at random; or the
// whole window, always for `noise` and in one of three draws for both. A window without a defect gets a random box.
// mask: (1, 1, R, R) of 0 and 1. Returns the same shape.
at::Tensor drawPlace(const at::Tensor& mask, Recipes recipes, Rng& rng);

// Returns one where any pixel of a latent is in the place. places: (B, 1, H, W). Returns (B, 1, h, w).
at::Tensor placeInLatents(const at::Tensor& places, at::IntArrayRef latentSize);

// Makes the place mid-grey. images: (B, 3, H, W) in [-1, 1]; places: (B, 1, H, W) of 0 and 1.
at::Tensor hidePlace(const at::Tensor& images, const at::Tensor& places);

}  // namespace dan::train
