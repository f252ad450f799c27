// This implements DeviceServices on CUDA: device and memory figures, one stream per thread, and captured graphs.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstring>

#include "core/accelerator.h"

namespace dan::cuda {

namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

class CudaGraph : public CapturedGraph {
 public:
  CudaGraph(at::Device device, const std::function<void()>& work) : device_(device) {
    const c10::cuda::CUDAGuard guard(device_);
    // Other threads may continue to use the device meanwhile.
    graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      try {
        graph_.capture_end();        // a stream left recording would be unusable
      } catch (const c10::Error&) {  // the first error is the one to report
      }
      throw;
    }
    graph_.capture_end();
  }
  void replay() override {
    const c10::cuda::CUDAGuard guard(device_);
    graph_.replay();
  }

 private:
  at::Device device_;
  at::cuda::CUDAGraph graph_;
};

class CudaMark : public DeviceMark {
 public:
  explicit CudaMark(at::Device device) {
    const c10::cuda::CUDAGuard guard(device);
    C10_CUDA_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming));
    C10_CUDA_CHECK(cudaEventRecord(event_, c10::cuda::getCurrentCUDAStream(device.index())));
  }
  ~CudaMark() override { C10_CUDA_CHECK_WARN(cudaEventDestroy(event_)); }
  void wait() override { C10_CUDA_CHECK(cudaEventSynchronize(event_)); }

 private:
  cudaEvent_t event_ = nullptr;
};

class CudaServices : public DeviceServices {
 public:
  int64_t count() const override { return c10::cuda::device_count(); }

  DeviceDescription describe(at::Device device) const override {
    cudaDeviceProp properties{};
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device.index()));
    return {properties.name, properties.major, properties.minor};
  }

  DeviceMemory memory(at::Device device) const override {
    const c10::cuda::CUDAGuard guard(device);
    size_t free = 0, total = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    const auto stats = allocator::getDeviceStats(device.index());
    constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return {static_cast<int64_t>(total), static_cast<int64_t>(free), stats.allocated_bytes[kAll].current,
            stats.allocated_bytes[kAll].peak, stats.reserved_bytes[kAll].current};
  }

  void resetPeak(at::Device device) override { allocator::resetPeakStats(device.index()); }
  void releaseCache() override { allocator::emptyCache(); }

  void useOwnStream(at::Device device) override {
    // The default stream waits for all others and cannot be captured, so the thread gets another one.
    if (c10::cuda::getCurrentCUDAStream(device.index()) == c10::cuda::getDefaultCUDAStream(device.index())) {
      c10::cuda::setCurrentCUDAStream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index()));
    }
  }

  void synchronize(at::Device device) override { c10::cuda::getCurrentCUDAStream(device.index()).synchronize(); }

  std::unique_ptr<DeviceMark> mark(at::Device device) override { return std::make_unique<CudaMark>(device); }

  std::unique_ptr<CapturedGraph> capture(at::Device device, const std::function<void()>& work) override {
    synchronize(device);
    return std::make_unique<CudaGraph>(device, work);
  }
};

}  // namespace

}  // namespace dan::cuda

extern "C" __attribute__((visibility("default"))) dan::DeviceServices* dualanodiffCudaServices(const char* contract) {
  static dan::cuda::CudaServices services;
  return std::strcmp(contract, dan::kCudaContract) == 0 ? &services : nullptr;
}
