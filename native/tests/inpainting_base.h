#pragma once

#include "model/base_model.h"

namespace dan::tests {

// Returns the tiny base with a UNet of 9 input channels: its own 4, and random weights for the others.
std::unique_ptr<model::BaseModel> inpaintingBase(at::Device device = at::kCPU, at::ScalarType dtype = at::kFloat);

}  // namespace dan::tests
