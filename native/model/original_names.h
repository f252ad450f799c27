// Tensor names of the original Stable Diffusion code (CompVis/stable-diffusion and Stability-AI/stablediffusion) as
// diffusers' names.
#pragma once

#include <string>

#include "core/tensor_map.h"

namespace dan::model {

inline constexpr const char* kOriginalUnet = "model.diffusion_model.";
inline constexpr const char* kOriginalVae = "first_stage_model.";
inline constexpr const char* kOriginalText = "cond_stage_model.";
inline constexpr const char* kOriginalOpenClip = "cond_stage_model.model.";  // 2.x; 1.x has CLIP itself

// The tensors whose names begin with `prefix`, without it.
TensorMap below(const TensorMap& file, const std::string& prefix);

// The tensors of each part of a checkpoint file, renamed.
TensorMap unetFromOriginal(const TensorMap& file);
TensorMap vaeFromOriginal(const TensorMap& file);
TensorMap textFromOriginal(const TensorMap& file);

}  // namespace dan::model
