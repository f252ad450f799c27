// Gradient noise (Perlin 1985), from which made-up defects take their shapes and textures.
#pragma once

#include "core/rng.h"

namespace dan::augment {

// (height, width), about -1 .. 1: `rows` x `columns` cells over the picture, turned by `angle` radians about its
// middle.
at::Tensor perlinNoise(int64_t height, int64_t width, int64_t rows, int64_t columns, double angle, Rng& rng);

// (3, height, width) in 0 .. 1: noise of doubling frequency and halving strength, in a random colour and contrast.
at::Tensor noiseTexture(int64_t height, int64_t width, Rng& rng);

}  // namespace dan::augment
