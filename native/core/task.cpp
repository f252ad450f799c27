#include "core/task.h"

#include "core/core_sharing.h"

namespace dan {

void Task::checkCancelled() const {
  if (cancelled()) fail(kAborted, "The operation was aborted");
  adaptSpins();
}

}  // namespace dan
