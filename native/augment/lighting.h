// These functions vary the light and the exposure of a picture, (3, H, W) in 0 .. 1. Its defect stays. They turn at
// most a hundredth of the pixels white that were not, so that a bright ground keeps its structure.
#pragma once

#include "core/rng.h"

namespace dan::augment {

// Returns the largest gain at which at most a hundredth of the pixels that are not white in `before` become white in
// `picture`. It is infinite if there are none. Both are (3, H, W), contiguous and without negative values.
double largestGain(const at::Tensor& picture, const at::Tensor& before);
double largestGainPlain(const at::Tensor& picture, const at::Tensor& before);

// Multiplies the picture by a smooth random light. `spread` is the standard deviation of the light's logarithm.
// Magnetic resonance imaging models its bias fields in this way (Van Leemput et al., IEEE TMI 18(10), 1999), but by
// polynomials instead of points. Where the light would burn the picture, all of it is dimmed.
at::Tensor withUnevenLight(const at::Tensor& picture, double spread, Rng& rng);

// Multiplies the picture by a gain of at most `mostGain`, which is above 1. Where `mostGain` would burn the picture,
// gains above 1 are lowered in proportion of their logarithms, so that they still differ.
at::Tensor exposed(const at::Tensor& picture, double gain, double mostGain);

// Changes the exposure of the picture. `spread` is the standard deviation of the exposure's logarithm, if the picture
// is dark enough for all exposures.
at::Tensor withExposure(const at::Tensor& picture, double spread, Rng& rng);

}  // namespace dan::augment
