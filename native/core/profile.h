// This measures where the time of a piece of work goes, by stage and by libtorch operation. RECORD_USER_SCOPE names the
// stages.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dan {

struct RecordedTime {
  std::string name;  // e.g. "denoise", "aten::mkldnn_convolution"
  bool isStage = false;
  int64_t calls = 0;
  double seconds = 0;     // includes the operations that it calls; on CUDA, the launches only
  double ownSeconds = 0;  // excludes the operations that it calls
};

// From now on this thread's stages and operations are recorded, at a cost of about a microsecond per operation.
// Operations that libtorch's own threads run for it are included (the backward pass on CUDA). Other threads are not
// recorded.
void startProfile();
// Returns the records since then, the largest own time first. Returns nothing if no profile was started.
std::vector<RecordedTime> stopProfile();

// Runs `work` once and returns its operations. "(outside operations)" is the time that belongs to none.
std::vector<RecordedTime> profile(const std::function<void()>& work);

}  // namespace dan
