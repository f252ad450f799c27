// One thread for each Node environment on which all of its torch work runs, one job after the other.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "core/task.h"

namespace dan::binding {

class TorchThread {
 public:
  TorchThread();
  // Cancels the running job, drops the others and joins.
  ~TorchThread();
  TorchThread(const TorchThread&) = delete;
  TorchThread& operator=(const TorchThread&) = delete;

  void post(std::shared_ptr<Task> task, std::function<void()> job);

  // Cancels and drops all work; whether the thread came to its end in time. Nothing may be posted afterwards.
  bool endsWithin(std::chrono::milliseconds patience);

 private:
  struct Job {
    std::shared_ptr<Task> task;
    std::function<void()> run;
  };
  void loop();
  void stop();

  std::mutex mutex_;
  std::condition_variable wake_, ended_;
  std::deque<Job> jobs_;
  std::shared_ptr<Task> running_;
  bool stopping_ = false, hasEnded_ = false;
  std::thread thread_;
};

}  // namespace dan::binding
