// These functions vary the light and the exposure of a picture. Its defect stays.
#pragma once

#include "core/rng.h"

namespace dan::augment {

// Multiplies the picture by a smooth random light. `spread` is the standard deviation of the light's logarithm.
// Magnetic resonance imaging models its bias fields in this way (Van Leemput et al., IEEE TMI 18(10), 1999), but by
// polynomials instead of points. picture: (3, H, W) in 0 .. 1.
at::Tensor withUnevenLight(const at::Tensor& picture, double spread, Rng& rng);

// Changes the exposure of the picture. `spread` is the standard deviation of the exposure's logarithm. Values that
// become too bright are clipped, as in a camera.
at::Tensor withExposure(const at::Tensor& picture, double spread, Rng& rng);

}  // namespace dan::augment
