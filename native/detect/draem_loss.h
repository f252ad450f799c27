// The training loss and the image score of DRAEM (arXiv 2108.07610).
#pragma once

#include <vector>

#include "detect/defect_source.h"
#include "model/draem_net.h"

namespace dan::detect {

// Returns the published training loss, a scalar: the mean squared error and one minus the structural similarity of the
// reconstruction, the focal loss of the logits, and 0.1 times SSPCAB's error. `good` are the images without their
// defects, (N, 3, H, W) in 0 .. 1. `mask`: (N, H, W), true where a defect is.
at::Tensor draemLoss(const model::DraemNet::Output& output, const at::Tensor& good, const at::Tensor& mask);

// Returns what the reconstruction of each example should be, (N, 3, H, W): the image without its defect. Nobody knows
// how a real part looks below its defect. There `reconstruction`, (N, 3, H, W), is its own aim, so that it costs
// nothing.
at::Tensor reconstructionAim(const std::vector<Example>& examples, const at::Tensor& reconstruction);

// Returns the published score of each image, (N): the greatest mean of the map, (N, H, W), in a window of 21 pixels.
// Pixels beyond the borders count as 0.
at::Tensor draemImageScores(const at::Tensor& maps);

}  // namespace dan::detect
