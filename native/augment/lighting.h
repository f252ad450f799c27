// Light and exposure of a picture, which change while its defect stays.
#pragma once

#include "core/rng.h"

namespace dan::augment {

// The picture under a smooth random light. `spread` is the standard deviation of the light's logarithm. As the bias
// fields of magnetic resonance imaging are put on pictures that shall not teach them (Van Leemput et al., IEEE TMI
// 18(10), 1999, with points instead of polynomials). picture: (3, H, W) in 0 .. 1.
at::Tensor withUnevenLight(const at::Tensor& picture, double spread, Rng& rng);

// The picture as another exposure shows it. `spread` is the standard deviation of the exposure's logarithm. What
// becomes too light is cut off, as cameras cut it off.
at::Tensor withExposure(const at::Tensor& picture, double spread, Rng& rng);

}  // namespace dan::augment
