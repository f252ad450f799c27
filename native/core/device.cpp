#include "core/device.h"

#include <ATen/Context.h>

#include "core/error.h"

namespace dan {

at::Device parseDevice(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name == "auto") return at::hasCUDA() ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  if (name.rfind("cuda", 0) != 0) {
    fail(kInvalidOption, "Expected auto, cpu, cuda or cuda:N for device but received ", name);
  }
  if (!at::hasCUDA()) {
    fail(kDeviceUnavailable, "Device ", name,
         " was asked for, but this machine has no usable CUDA device (no driver, no GPU, or a CPU-only libtorch). "
         "Use --device cpu, or run `dualanodiff doctor` to see what is missing.");
  }
  return at::Device(name);
}

at::ScalarType parseDtype(const std::string& name, const at::Device& device) {
  if (name == "auto") return device.is_cuda() ? at::kBFloat16 : at::kFloat;
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  fail(kInvalidOption, "Expected auto, float32, bfloat16 or float16 for dtype but received ", name);
}

std::string dtypeName(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat:
      return "float32";
    case at::kBFloat16:
      return "bfloat16";
    case at::kHalf:
      return "float16";
    default:
      return at::toString(dtype);
  }
}

}  // namespace dan
