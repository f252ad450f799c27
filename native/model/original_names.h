// These functions convert the tensor names of the original Stable Diffusion code (CompVis/stable-diffusion and
// Stability-AI/stablediffusion) to those of diffusers.
#pragma once

#include <string>

#include "core/tensor_map.h"

namespace dan::model {

inline constexpr const char* kOriginalUnet = "model.diffusion_model.";
inline constexpr const char* kOriginalVae = "first_stage_model.";
inline constexpr const char* kOriginalText = "cond_stage_model.";
// Only 2.x uses OpenCLIP; 1.x uses CLIP itself.
inline constexpr const char* kOriginalOpenClip = "cond_stage_model.model.";

// Returns the tensors whose names begin with `prefix`, and removes it from their names.
TensorMap below(const TensorMap& file, const std::string& prefix);

// Each function returns the renamed tensors of one part of a checkpoint file.
TensorMap unetFromOriginal(const TensorMap& file);
TensorMap vaeFromOriginal(const TensorMap& file);
TensorMap textFromOriginal(const TensorMap& file);

}  // namespace dan::model
