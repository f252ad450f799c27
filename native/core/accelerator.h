// This is the engine's view of its CUDA part, libdualanodiff_cuda.so. The engine finds and opens that library at run
// time, and only if there is a device, so that the engine itself runs on a CPU-only libtorch.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace dan {

struct DeviceMemory {
  int64_t total = 0, free = 0;                             // bytes of the device
  int64_t allocated = 0, allocatedPeak = 0, reserved = 0;  // bytes of this process
};

struct DeviceDescription {
  std::string name;
  int major = 0, minor = 0;  // compute capability
};

// A captured graph is work of fixed shapes that was recorded once and is replayed as a whole.
class CapturedGraph {
 public:
  virtual ~CapturedGraph() = default;
  virtual void replay() = 0;
};

// A mark is a point in the calling thread's stream. A thread can wait for it while the stream continues.
class DeviceMark {
 public:
  virtual ~DeviceMark() = default;
  virtual void wait() = 0;
};

// These are the services of CUDA besides kernels. All of them concern the calling thread's current stream.
class DeviceServices {
 public:
  virtual ~DeviceServices() = default;
  virtual int64_t count() const = 0;  // the number of devices
  virtual DeviceDescription describe(at::Device device) const = 0;
  virtual DeviceMemory memory(at::Device device) const = 0;
  virtual void resetPeak(at::Device device) = 0;
  // Gives unused memory back to the device.
  virtual void releaseCache() = 0;
  // From now on this thread works on its own stream, beside those of other threads.
  virtual void useOwnStream(at::Device device) = 0;
  virtual void synchronize(at::Device device) = 0;
  // The mark follows all work that was queued so far.
  virtual std::unique_ptr<DeviceMark> mark(at::Device device) = 0;
  // Runs `work` once while recording it. It must neither wait for the device nor copy from pageable memory, and may
  // only read memory that still exists at a replay. If `work` throws, this rethrows the error and records nothing.
  virtual std::unique_ptr<CapturedGraph> capture(at::Device device, const std::function<void()>& work) = 0;
};

// This belongs to the first usable CUDA device. If there is none, `services` is null and `reason` says why; it is '' if
// the machine simply has no NVIDIA driver or device. The library is opened once per process.
struct CudaState {
  DeviceServices* services = nullptr;
  std::string reason;
};
const CudaState& cudaState();
// Returns the same services if they have been opened already, else null. It never waits.
DeviceServices* openedCudaServices();

// The library exports a function of this type as "dualanodiffCudaServices". It returns null unless the library was
// built for the same contract.
using CudaServicesFunction = DeviceServices* (*)(const char* contract);
inline constexpr const char* kCudaContract = "dualanodiff-cuda-2";

}  // namespace dan
