#include "core/device.h"

#include <ATen/ATen.h>

#include "core/accelerator.h"
#include "core/error.h"

namespace dan {

at::Device parseDevice(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  DeviceServices* services = cudaState().services;
  if (name == "auto" && services == nullptr) return at::kCPU;
  if (name != "auto" && name.rfind("cuda", 0) != 0) {
    fail(kInvalidOption, "Expected auto, cpu, cuda or cuda:N for device but received ", name);
  }
  if (services == nullptr) {
    const std::string reason = cudaState().reason;
    fail(kDeviceUnavailable, "Device ", name, " was asked for, but ",
         reason.empty() ? "this machine has no NVIDIA driver or no device" : reason,
         ". Use --device cpu, or run `dualanodiff doctor` to see what is missing.");
  }
  const bool numbered = name != "auto" && name != "cuda";
  const at::Device device = numbered ? at::Device(name) : at::Device(at::kCUDA, 0);
  if (device.index() >= services->count()) {
    fail(kDeviceUnavailable, "Device ", name, " was asked for, but there are ", services->count(), " devices");
  }
  services->useOwnStream(device);
  return device;
}

at::ScalarType parseDtype(const std::string& name, const at::Device& device) {
  if (name == "auto") {
    if (!device.is_cuda()) return at::kFloat;
    constexpr int kAmpere = 8;  // the first generation that computes in bfloat16
    return cudaState().services->describe(device).major >= kAmpere ? at::kBFloat16 : at::kHalf;
  }
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
