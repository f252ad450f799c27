// The CUDA part of the engine, libdualanodiff_cuda.so, as the rest sees it: found and opened at run time, and only
// where there is a device, so that the engine itself runs on a CPU-only libtorch.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace dan {

struct DeviceMemory {
  int64_t total = 0, free = 0;                             // of the device, in bytes
  int64_t allocated = 0, allocatedPeak = 0, reserved = 0;  // by this process
};

struct DeviceDescription {
  std::string name;
  int major = 0, minor = 0;  // compute capability
};

// Work of fixed shapes that was recorded once and is run again as a whole.
class CapturedGraph {
 public:
  virtual ~CapturedGraph() = default;
  virtual void replay() = 0;
};

// A point in the calling thread's stream that can be waited for while the stream goes on.
class DeviceMark {
 public:
  virtual ~DeviceMark() = default;
  virtual void wait() = 0;
};

// What CUDA offers beyond kernels. All of it concerns the calling thread's current stream.
class DeviceServices {
 public:
  virtual ~DeviceServices() = default;
  virtual int64_t count() const = 0;  // of devices
  virtual DeviceDescription describe(at::Device device) const = 0;
  virtual DeviceMemory memory(at::Device device) const = 0;
  virtual void resetPeak(at::Device device) = 0;
  // Gives memory that no tensor uses back to the device.
  virtual void releaseCache() = 0;
  // From now on this thread works on a stream of its own, beside other threads'.
  virtual void useOwnStream(at::Device device) = 0;
  virtual void synchronize(at::Device device) = 0;
  // Behind all work that was given so far.
  virtual std::unique_ptr<DeviceMark> mark(at::Device device) = 0;
  // Runs `work` once while recording it. It must neither wait for the device nor copy from pageable memory, and may
  // only read what is still there at a replay. Throws what `work` throws; then nothing is recorded.
  virtual std::unique_ptr<CapturedGraph> capture(at::Device device, const std::function<void()>& work) = 0;
};

// Of the first usable CUDA device's part; null where there is none, and then `reason` says why, '' for the plain case
// that the machine has no NVIDIA driver or device. Opened once in a process.
struct CudaState {
  DeviceServices* services = nullptr;
  std::string reason;
};
const CudaState& cudaState();
// The same services where something has opened them already, else null: never waits.
DeviceServices* openedCudaServices();

// What the library gives for dlsym("dualanodiffCudaServices"): null unless it was built for the same contract.
using CudaServicesFunction = DeviceServices* (*)(const char* contract);
inline constexpr const char* kCudaContract = "dualanodiff-cuda-2";

}  // namespace dan
