// These functions choose the device and the dtype of the engine's work.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace dan {

// `name` is "auto" (CUDA if there is a device, else CPU), "cpu", "cuda" or "cuda:N". The thread that will work there
// must call this, because on CUDA it gets its own stream. Throws ERR_DEVICE_UNAVAILABLE, saying what is missing.
at::Device parseDevice(const std::string& name);

// `name` is "auto", "float32", "bfloat16" or "float16". "auto" means float32 on the CPU (but see model::suitedDtype),
// bfloat16 on CUDA, and float16 before Ampere.
at::ScalarType parseDtype(const std::string& name, const at::Device& device);

std::string dtypeName(at::ScalarType dtype);

}  // namespace dan
