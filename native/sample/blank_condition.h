// An inpainting base that draws whole pairs is told that nothing is known.
#pragma once

#include "core/pixel_values.h"
#include "model/base_model.h"
#include "model/inpaint_condition.h"

namespace dan::sample {

// Encodes one image of this colour, the same in all channels, in [-1, 1]. Returns scaled latents, (1, 4, h, w).
// `height` and `width` are in pixels.
at::Tensor plainLatents(const model::BaseModel& base, double colour, int64_t height, int64_t width);

// Returns the colour of a part's blank ground in [-1, 1].
double colourOf(PartFill fill);

// These return the condition where nothing is known: the place is everywhere, and the masked images are blank. It is
// undefined for a base that is not made for inpainting. `height` and `width` are in pixels. For whole images, (images,
// ...), the blank is mid-grey; for pairs, (pairs * 2, ...), that of the parts is their fill.
model::InpaintCondition blankCondition(const model::BaseModel& base, int64_t height, int64_t width, int64_t images);
model::InpaintCondition blankPairCondition(const model::BaseModel& base, PartFill fill, int64_t height, int64_t width,
                                           int64_t pairs);

}  // namespace dan::sample
