// An inpainting base that draws whole pairs is told that nothing is known.
#pragma once

#include "core/pixel_values.h"
#include "model/base_model.h"
#include "model/inpaint_condition.h"

namespace dan::sample {

// These return the condition where nothing is known: the place is everywhere, and the masked images are blank. It is
// undefined for a base that is not made for inpainting. `height` and `width` are in pixels. For whole images, (images,
// ...), the blank is mid-grey; for pairs, (pairs * 2, ...), that of the parts is their fill.
model::InpaintCondition blankCondition(const model::BaseModel& base, int64_t height, int64_t width, int64_t images);
model::InpaintCondition blankPairCondition(const model::BaseModel& base, PartFill fill, int64_t height, int64_t width,
                                           int64_t pairs);

}  // namespace dan::sample
