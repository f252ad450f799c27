// Where and in which precision the engine computes.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace dan {

// "auto" (CUDA where there is one, else CPU), "cpu", "cuda" or "cuda:N". For the thread that will work there: on CUDA
// it gets a stream of its own. Throws ERR_DEVICE_UNAVAILABLE, saying what is missing.
at::Device parseDevice(const std::string& name);

// "auto", "float32", "bfloat16" or "float16". "auto" is float32 on CPU (but see model::suitedDtype), bfloat16 on CUDA,
// float16 before Ampere.
at::ScalarType parseDtype(const std::string& name, const at::Device& device);

std::string dtypeName(at::ScalarType dtype);

}  // namespace dan
