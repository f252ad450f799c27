// A defect of one picture is blended into the ground of another and takes on its light.
#pragma once

#include "augment/pixel_pool.h"

namespace dan::augment {

// Returns the marked share of the picture, 0 to 1.
double areaOf(const at::Tensor& mask);

// Converts a share of a picture's side to pixels. Returns at least one.
int64_t pixelsOf(double share, int64_t side);

// Adds a soft border of a few pixels to a mask. Returns (H, W) in 0 .. 1, with 1 on all of the mask.
at::Tensor softened(const at::Tensor& mask);

// Adds the defect to `ground`, (3, H, W). Only the difference between the defect and its surroundings is added, so that
// the light is the ground's. The difference is multiplied by kMovedContrast, by a random factor of up to 1.4, and by a
// factor that grows with the ground's light.
MarkedPicture blended(const MarkedPicture& defect, const at::Tensor& ground, Rng& rng);

}  // namespace dan::augment
