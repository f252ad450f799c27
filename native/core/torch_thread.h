// The threads of a Node environment on which its torch work runs: each one job after the other, with libtorch's own
// count of helpers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/task.h"

namespace dan {

class TorchThread {
 public:
  TorchThread();
  // Cancels the running job, drops the others and joins.
  ~TorchThread();
  TorchThread(const TorchThread&) = delete;
  TorchThread& operator=(const TorchThread&) = delete;

  void post(std::shared_ptr<Task> task, std::function<void()> job);

  // Cancels and drops all work. Nothing may be posted afterwards.
  void stop();
  // After stop(): whether the thread comes to its end in time.
  bool endsBefore(std::chrono::steady_clock::time_point latest);

 private:
  struct Job {
    std::shared_ptr<Task> task;
    std::function<void()> run;
  };
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_, ended_;
  std::deque<Job> jobs_;
  std::shared_ptr<Task> running_;
  bool stopping_ = false, hasEnded_ = false;
  std::thread thread_;
};

// Made as they are named. To be used from the JS thread alone.
class TorchThreads {
 public:
  // Drops the job where the environment is going away.
  void post(size_t thread, std::shared_ptr<Task> task, std::function<void()> job);

  // Cancels and drops all work; whether all threads came to their end in time.
  bool endWithin(std::chrono::milliseconds patience);
  // The same, however long it takes.
  void end();

 private:
  void stop();

  std::vector<std::unique_ptr<TorchThread>> threads_;
  bool ended_ = false;
};

}  // namespace dan
