// The list of parts that a diffusers folder has.
#pragma once

#include <string>

namespace dan::model {

// Reads the `model_index.json` of `folder`, where there is one: which pipeline the folder is made for and of what class
// each part is. Throws ERR_MODEL_INVALID naming the entry where that is not a Stable Diffusion 1.x or 2.x of parts that
// the engine builds.
void checkModelIndex(const std::string& folder);

}  // namespace dan::model
