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

// Returns how many times as light the surroundings of the defect are on `ground`, (3, H, W), as in its own picture.
double lightRatio(const MarkedPicture& defect, const at::Tensor& ground);

// Adds the defect to `ground`, (3, H, W). Only the difference between the defect and its surroundings is added, times
// `contrast`, so that the light is the ground's.
MarkedPicture blendedWith(const MarkedPicture& defect, const at::Tensor& ground, double contrast);
// Computes the whole picture and not only the surroundings of the defect. The values are the same, bit by bit.
MarkedPicture blendedWithPlain(const MarkedPicture& defect, const at::Tensor& ground, double contrast);

// Does the same. The contrast is kMovedContrast, times a random factor of up to 1.4, times a factor that grows with the
// ground's light.
MarkedPicture blended(const MarkedPicture& defect, const at::Tensor& ground, Rng& rng);

}  // namespace dan::augment
