#pragma once

#include <cstdint>

namespace dan {

// A meter measures memory from its construction on: what this thread allocates for host tensors and does not free, plus
// the growth of the process's tensors on CUDA devices.
class MemoryMeter {
 public:
  MemoryMeter();
  // Returns bytes, or 0 if more was freed than allocated. `freed` is the size of memory that was there before and is
  // not any more, which would otherwise be subtracted.
  int64_t grown(int64_t freed = 0) const;

 private:
  int64_t start_;
};

}  // namespace dan
