// This file lists the parts of a diffusers folder.
#pragma once

#include <string>

namespace dan::model {

// Checks the `model_index.json` of `folder`, if it exists: the pipeline class and the class of each part. Throws
// ERR_MODEL_INVALID naming the entry if the folder is not a Stable Diffusion 1.x or 2.x of parts that the engine
// builds.
void checkModelIndex(const std::string& folder);

}  // namespace dan::model
