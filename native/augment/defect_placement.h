// These functions place a defect: they move, turn and scale a picture together with its mask.
#pragma once

#include "augment/pixel_pool.h"

namespace dan::augment {

// Changes the picture like a second photograph of the same object, taken from a little nearer and not centred. The
// picture and its mask are mirrored at the edges. At least 80 % of the defect's area stay inside.
MarkedPicture withJitter(const MarkedPicture& real, Rng& rng);

// Moves the picture's defect to another place, turns it a little and scales it. A defect that reaches an edge still
// reaches it afterwards, because the photograph shows nothing of the defect beyond the edge. The mask must not be
// empty.
MarkedPicture moved(const MarkedPicture& real, Rng& rng);

// Does the same after a turn by `angle` radians about the middle of the defect, from the axis of the columns (x)
// towards that of the rows (y). The edges of the picture have no meaning for the result. If too little of the defect
// would stay inside, the picture is returned unchanged.
MarkedPicture turned(const MarkedPicture& real, double angle, Rng& rng);

}  // namespace dan::augment
