// The stand-in is a device other than the CPU for machines without a GPU. It uses the host's memory and the CPU's
// arithmetic. Like CUDA, it refuses operations that mix its tensors with the CPU's, and group norms of tensors in
// another layout than the standard one. Tests with it find tensors on the wrong device.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "core/accelerator.h"

namespace dan::tests {

// The first call registers the device.
at::Device standInDevice();

// Records the operations of one run of `work`. A replay repeats each one with its original tensors and writes over its
// original results. Like a CUDA graph, it does not notice if other tensors have replaced them. It refuses operations
// that a CUDA graph cannot record: copies from and to the host, and reading a number.
class StandInGraph : public CapturedGraph {
 public:
  explicit StandInGraph(const std::function<void()>& work);
  void replay() override;

 private:
  std::vector<std::function<void()>> operations_;
};

}  // namespace dan::tests
