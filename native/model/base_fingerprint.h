// Tells bases apart by their weights, whatever precision they are stored in.
#pragma once

#include <string>
#include <vector>

#include "core/tensor_map.h"
#include "model/base_lora.h"

namespace dan::model {

// Of the UNet and the text encoder, with what was merged into them: 128 hexadecimal digits. Stored in float32 or
// float16, a base has the same text; in bfloat16, one that isSameBase takes for it.
std::string fingerprintOf(const TensorMap& unet, const TensorMap& text);

// Whether two fingerprints are of one base but for rounding. A base is another as soon as one of its matrices has
// changed by about a tenth (of some 900 in Stable Diffusion; less where there are fewer or where more have changed).
bool isSameBase(const std::string& a, const std::string& b);

// What version 0.1.0 wrote into adapters, 16 digits: of the UNet's first and last layer, before anything was merged,
// and of the merged files.
std::string legacyFingerprintOf(const TensorMap& unet, const std::vector<LoraFile>& loras);

}  // namespace dan::model
