// Where the time of a piece of work goes, by stage and by operation of libtorch. A stage is what RECORD_USER_SCOPE
// names.
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
  double seconds = 0;     // with all that it calls; on CUDA, of the launches
  double ownSeconds = 0;  // without the operations that it calls
};

// From now on this thread's stages and operations are recorded, which costs about a microsecond an operation, with
// those that libtorch's own threads do for it (the backward pass on CUDA); what others do is not seen.
void startProfile();
// What was recorded since, the largest own time first; none where nothing was started.
std::vector<RecordedTime> stopProfile();

// The operations of `work`, which runs once; "(outside operations)" is what is in none.
std::vector<RecordedTime> profile(const std::function<void()>& work);

}  // namespace dan
