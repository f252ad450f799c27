// These are the losses and maps of EfficientAD (arXiv 2303.14535). All tensors are outputs of its networks, (N, C, h,
// w). The student has 2 C channels: the first half imitates the teacher, the second half the autoencoder.
#pragma once

#include "core/rng.h"

namespace dan::detect {

// Returns the mean squared difference of teacher and student over the largest thousandth of the values, so that the
// student does not learn more about other pictures than it must.
at::Tensor hardStudentLoss(const at::Tensor& teacher, const at::Tensor& student);

// Returns the mean squared difference of autoencoder and teacher, and that of student and autoencoder, added up.
at::Tensor autoencoderLoss(const at::Tensor& teacher, const at::Tensor& student, const at::Tensor& autoencoder);

// Each place's mean squared difference, (N, h, w): of student and teacher, and of student and autoencoder.
struct PatchMaps {
  at::Tensor teacher, autoencoder;
};
PatchMaps patchMaps(const at::Tensor& teacher, const at::Tensor& student, const at::Tensor& autoencoder);

// Returns the 90 % and the 99.5 % quantile of both maps, (2, 2) in float64.
at::Tensor mapQuantiles(const PatchMaps& maps);

// Resizes both maps to (N, height, width), scales them so that the quantiles become 0 and 0.1, and returns their mean.
at::Tensor combinedMap(const PatchMaps& maps, const at::Tensor& quantiles, int64_t height, int64_t width);

// Changes the brightness, the contrast or the saturation of each image, (N, 3, H, W) in 0 .. 1, by up to a fifth.
at::Tensor withChangedColours(const at::Tensor& images, Rng& rng);

}  // namespace dan::detect
