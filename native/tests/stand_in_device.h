// A device that is not the CPU, for machines without a GPU: its memory is the host's and its arithmetic the CPU's, but
// it refuses, as CUDA does, operations that mix tensors of both, and group norms of tensors in another layout than the
// standard one. It shows that everything is put where it belongs.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "core/accelerator.h"

namespace dan::tests {

// Registers it at the first call.
at::Device standInDevice();

// What this device did while `work` ran once. A replay does each operation again with the tensors that it had, and
// writes where its results were: like a graph of CUDA's, it does not see what other tensors have been put in their
// place. What no graph of CUDA's can record is refused: copies from and to the host, and reading a number.
class StandInGraph : public CapturedGraph {
 public:
  explicit StandInGraph(const std::function<void()>& work);
  void replay() override;

 private:
  std::vector<std::function<void()>> operations_;
};

}  // namespace dan::tests
