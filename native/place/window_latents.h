// These functions encode windows of photographs for sampling on known ground.
#pragma once

#include "place/placer.h"

namespace dan::place {

// Throws ERR_INVALID_OPTION unless the window has the size of the options, an open place, a defect if sampling starts
// from one, and a foreground if and only if the adapter compensates for backgrounds.
void checkWindow(const PlaceWindow& window, const PlaceOptions& options, bool needsForeground);

// Encodes a batch. A latent is open where any of its pixels is.
sample::GroundInputs encodeWindows(const model::BaseModel& base, PartFill fill, const PlaceOptions& options,
                                   const std::vector<PlaceWindow>& windows, const Task& task);

}  // namespace dan::place
