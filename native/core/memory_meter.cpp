#include "core/memory_meter.h"

#include <algorithm>

#include "core/accelerator.h"
#include "core/host_memory.h"

namespace dan {

namespace {

int64_t bytesNow() {
  int64_t bytes = hostBytesOfThread();
  if (DeviceServices* services = openedCudaServices()) {
    for (int64_t i = 0; i < services->count(); ++i) {
      bytes += services->memory(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(i))).allocated;
    }
  }
  return bytes;
}

}  // namespace

MemoryMeter::MemoryMeter() : start_(bytesNow()) {}

int64_t MemoryMeter::grown(int64_t freed) const { return std::max<int64_t>(bytesNow() - start_ + freed, 0); }

}  // namespace dan
