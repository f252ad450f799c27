// A Task is the handle of a running job. Another thread can cancel the job through it.
#pragma once

#include <atomic>

#include "core/error.h"

namespace dan {

class Task {
 public:
  void cancel() { cancelled_.store(true); }
  bool cancelled() const { return cancelled_.load(); }
  // The job calls this between steps, so that it ends within one step of being cancelled.
  void checkCancelled() const {
    if (cancelled()) fail(kAborted, "The operation was aborted");
  }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace dan
