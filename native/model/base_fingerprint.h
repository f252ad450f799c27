// A fingerprint identifies a base by its weights, whatever precision they are stored in.
#pragma once

#include <string>
#include <vector>

#include "core/tensor_map.h"
#include "model/base_lora.h"

namespace dan::model {

// Returns 128 hexadecimal digits computed from the UNet and the text encoder, including merged LoRA weights. The
// float32 and float16 copies of a base have equal fingerprints. The bfloat16 copy has one that isSameBase accepts.
std::string fingerprintOf(const TensorMap& unet, const TensorMap& text);

// Returns true if two fingerprints differ by no more than rounding explains. A base counts as another one once about a
// tenth of one matrix has changed. Stable Diffusion has some 900 tensors; with fewer tensors, or more changed ones, a
// smaller change suffices.
bool isSameBase(const std::string& a, const std::string& b);

// Returns the 16 digits that version 0.1.0 wrote into adapters. They cover the UNet's first and last layer before
// merging, and the merged files.
std::string legacyFingerprintOf(const TensorMap& unet, const std::vector<LoraFile>& loras);

}  // namespace dan::model
