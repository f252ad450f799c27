// How much memory a piece of work keeps.
#pragma once

#include <cstdint>

namespace dan {

// Measures from its making on: what this thread allocates for tensors on the host and does not free, and by how much
// the tensors of the process grow on CUDA devices.
class MemoryMeter {
 public:
  MemoryMeter();
  // Bytes; 0 where more was freed than allocated.
  int64_t grown() const;

 private:
  int64_t start_;
};

}  // namespace dan
