// A Task is the handle of a running job. Another thread can cancel the job through it.
#pragma once

#include <atomic>

#include "core/error.h"

namespace dan {

class Task {
 public:
  void cancel() { cancelled_.store(true); }
  bool cancelled() const { return cancelled_.load(); }
  // The job calls this between steps, so that it ends within one step of being cancelled, and so that its OpenMP
  // threads spin only while the process has its cores for itself.
  void checkCancelled() const;

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace dan
