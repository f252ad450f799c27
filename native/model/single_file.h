// Checkpoints of Stable Diffusion 1.x and 2.x in one file, under the names of the original code
// (CompVis/stable-diffusion and Stability-AI/stablediffusion): `.safetensors`, or `.ckpt` as torch.save wrote it.
#pragma once

#include "model/base_parts.h"

namespace dan::model {

// Sizes are read off the tensors unless `source.configFolder` has them. Throws ERR_MODEL_INVALID for a file of another
// kind, and for a 2.x file without `source.predictionType` or configs: its tensors do not say what they predict.
BaseParts readSingleFile(const BaseSource& source);

}  // namespace dan::model
