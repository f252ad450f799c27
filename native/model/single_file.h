// A checkpoint of Stable Diffusion 1.x or 2.x may be one file under the names of the original code
// (CompVis/stable-diffusion and Stability-AI/stablediffusion): `.safetensors`, or `.ckpt` from torch.save.
#pragma once

#include "model/base_parts.h"

namespace dan::model {

// Sizes follow from the tensors unless `source.configFolder` has them. Throws ERR_MODEL_INVALID for a file of another
// kind. Throws it also for a 2.x file without `source.predictionType` or configs, because its tensors do not reveal the
// prediction type.
BaseParts readSingleFile(const BaseSource& source);

}  // namespace dan::model
