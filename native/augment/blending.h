// A defect of one picture on the ground of another, with the other one's light.
#pragma once

#include "augment/pixel_pool.h"

namespace dan::augment {

// The share of the picture that is marked, 0 to 1.
double areaOf(const at::Tensor& mask);

// A share of a picture's side, in pixels; at least one.
int64_t pixelsOf(double share, int64_t side);

// The mask with a soft border of few pixels, (H, W) in 0 .. 1; 1 on all of the mask.
at::Tensor softened(const at::Tensor& mask);

// Adds the defect to `ground`, (3, H, W), as its difference to what is around it in its own picture, so that the light
// is the ground's. The difference grows by kMovedContrast, by up to 1.4 at random, and with the ground's light.
MarkedPicture blended(const MarkedPicture& defect, const at::Tensor& ground, Rng& rng);

}  // namespace dan::augment
