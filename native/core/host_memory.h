// This manages the memory of tensors on the CPU. Each step of sampling or training asks for the same hundreds of large
// blocks. If they were returned to the system in between, every page would have to be cleared again. If malloc kept
// them, they would fragment its heap.
#pragma once

#include <cstdint>

namespace dan {

struct HostMemory {
  int64_t used = 0, kept = 0,
          usedPeak = 0;  // bytes of large blocks: in tensors, freed but kept, and the peak in tensors
};

// From now on libtorch's large CPU blocks are kept when they are freed, and reused for later ones of about their size.
// Used and kept blocks together stay within 256 MiB of the peak that tensors used. This applies to the whole process;
// calling it again does nothing.
void keepHostMemory();

HostMemory hostMemory();

// Returns the bytes that this thread allocated for CPU tensors minus those that it freed, whoever allocated them.
int64_t hostBytesOfThread();
// Counts memory of tensors that libtorch did not allocate. The number is negative when it is freed.
void countHostBytes(int64_t bytes);

// Gives the kept blocks back to the system and forgets the peak.
void releaseHostMemory();

}  // namespace dan
