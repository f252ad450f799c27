#pragma once

#include <cstdint>

namespace dan {

// A meter measures memory from its construction on: what this thread allocates for host tensors and does not free, plus
// the growth of the process's tensors on CUDA devices.
class MemoryMeter {
 public:
  MemoryMeter();
  // Returns bytes, or 0 if more was freed than allocated.
  int64_t grown() const;

 private:
  int64_t start_;
};

}  // namespace dan
