// Gradient noise (Perlin 1985) gives made-up defects their shapes and textures.
#pragma once

#include "core/rng.h"

namespace dan::augment {

// Returns noise, (height, width), of about -1 .. 1. Its `rows` x `columns` cells cover the picture and are turned by
// `angle` radians about its middle.
at::Tensor perlinNoise(int64_t height, int64_t width, int64_t rows, int64_t columns, double angle, Rng& rng);

// Returns (3, height, width) in 0 .. 1. It adds noise of doubling frequency and halving strength, in a random colour
// and contrast.
at::Tensor noiseTexture(int64_t height, int64_t width, Rng& rng);

}  // namespace dan::augment
