// Crop&Paste (Lin et al., ICME 2021) copies a real defect onto a good picture, unchanged and with hard edges.
#pragma once

#include "augment/pixel_pool.h"

namespace dan::augment {

// Cuts the defect out, flips it, turns it by quarters, scales it to 0.75 .. 1.25 of its size, and pastes it at a random
// place of `onto`, which is changed in place. Earlier marks of `onto` stay. An empty mask changes nothing. A defect of
// few pixels can vanish when it shrinks.
void cropPaste(const MarkedPicture& defect, const MarkedPicture& onto, Rng& rng);

}  // namespace dan::augment
