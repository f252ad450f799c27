// The training loss of SuperSimpleNet (arXiv 2408.03143).
#pragma once

#include "model/supersimplenet.h"

namespace dan::detect {

// Returns the published loss, a scalar: the focal losses (gamma 4) of the map and of the score, and the truncated L1
// loss of the map, which pushes good places below -0.5 and defective places above 0.5. `masks`: (N, 1, h, w) and
// `labels`: (N), 1 for a defect, else 0, of the output's dtype.
at::Tensor superSimpleLoss(const model::SuperSimpleNet::Output& output, const at::Tensor& masks,
                           const at::Tensor& labels);

}  // namespace dan::detect
