// A device that is not the CPU, for machines without a GPU: its memory is the host's and its arithmetic the CPU's, but
// it refuses, as CUDA does, operations that mix tensors of both, and group norms of tensors in another layout than the
// standard one. It shows that everything is put where it belongs.
#pragma once

#include <ATen/ATen.h>

namespace dan::tests {

// Registers it at the first call.
at::Device standInDevice();

// While one lives, it refuses on this thread what no graph of CUDA's can record: copies from and to the host.
class StandInRecording {
 public:
  StandInRecording();
  ~StandInRecording();
  StandInRecording(const StandInRecording&) = delete;
  StandInRecording& operator=(const StandInRecording&) = delete;
};

}  // namespace dan::tests
