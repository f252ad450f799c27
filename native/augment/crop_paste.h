// Crop&Paste (Lin et al., ICME 2021): a real defect on a good picture, as it is and with hard edges.
#pragma once

#include "augment/pixel_pool.h"

namespace dan::augment {

// Cuts the defect out, flips it, turns it by quarters, scales it to 0.75 .. 1.25 of its size, and pastes it at a random
// place of `onto`, which is changed in place. What was marked there stays marked. Where the defect's mask is empty,
// nothing changes. A defect of few pixels can vanish where it is made smaller.
void cropPaste(const MarkedPicture& defect, const MarkedPicture& onto, Rng& rng);

}  // namespace dan::augment
