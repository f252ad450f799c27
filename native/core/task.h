// A running job as its maker sees it: it can be cancelled from another thread, and it reports progress.
#pragma once

#include <atomic>

#include "core/error.h"

namespace dan {

class Task {
 public:
  void cancel() { cancelled_.store(true); }
  bool cancelled() const { return cancelled_.load(); }
  // Called between steps, so that a job ends within one step of being cancelled.
  void checkCancelled() const {
    if (cancelled()) fail(kAborted, "The operation was aborted");
  }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace dan
