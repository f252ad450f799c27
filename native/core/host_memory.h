// The memory of tensors on the CPU. A step of sampling or training asks for the same hundreds of large blocks each
// time; given back to the system in between, every page of them would have to be cleared again, and kept by malloc they
// fragment its heap.
#pragma once

#include <cstdint>

namespace dan {

struct HostMemory {
  int64_t used = 0, kept = 0,
          usedPeak = 0;  // bytes of large blocks: in tensors, freed but kept, and the most in tensors
};

// From now on libtorch's large blocks on the CPU are kept when they are freed and used again for later ones of about
// their size, as long as the two together are no more than 256 MiB above what tensors alone once were. For the whole
// process; calling it again does nothing.
void keepHostMemory();

HostMemory hostMemory();

// Bytes that this thread allocated for tensors on the CPU less those that it freed, whoever allocated them.
int64_t hostBytesOfThread();
// Adds memory of tensors that is not libtorch's; below 0 when it goes.
void countHostBytes(int64_t bytes);

// Gives what is kept back to the system, and forgets the peak.
void releaseHostMemory();

}  // namespace dan
