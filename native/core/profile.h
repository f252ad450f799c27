// Where the time of a piece of work goes, by operation of libtorch.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dan {

struct OperationTime {
  std::string name;  // e.g. "aten::mkldnn_convolution"; "(outside operations)" is the rest
  int64_t calls = 0;
  double seconds = 0;  // without the operations that it calls itself; on CUDA, of the launches
};

// Runs `work` once on this thread and returns what it spent, the largest first. Operations of other threads are not
// seen. Recording costs about a microsecond an operation.
std::vector<OperationTime> profile(const std::function<void()>& work);

}  // namespace dan
