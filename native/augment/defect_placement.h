// Where a defect comes to lie: pictures moved, turned and scaled together with their masks.
#pragma once

#include "augment/pixel_pool.h"

namespace dan::augment {

// The picture as another photograph of the same part would show it: a little nearer and off the middle. Beyond its
// edges it is mirrored, mask and all. At least 80 % of the defect's area stay inside.
MarkedPicture rephotographed(const MarkedPicture& real, Rng& rng);

// The picture with its defect in another place, turned a little and scaled. A defect that reaches an edge, which cuts
// it off, still reaches it: what is beyond was not photographed. The mask must not be empty.
MarkedPicture moved(const MarkedPicture& real, Rng& rng);

}  // namespace dan::augment
