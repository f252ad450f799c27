// A Node environment runs its torch work on these threads. Each runs one job after the other, and libtorch decides how
// many helper threads a job has.
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
  // Cancels the running job, drops the others and joins the thread.
  ~TorchThread();
  TorchThread(const TorchThread&) = delete;
  TorchThread& operator=(const TorchThread&) = delete;

  void post(std::shared_ptr<Task> task, std::function<void()> job);

  // Cancels and drops all work. Nothing may be posted afterwards.
  void stop();
  // After stop(), this returns true if the thread ends in time.
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

// A thread is created when its number is first used. Only the JS thread may use this class.
class TorchThreads {
 public:
  // Drops the job if the environment is going away.
  void post(size_t thread, std::shared_ptr<Task> task, std::function<void()> job);

  // Cancels and drops all work. Returns true if all threads ended in time.
  bool endWithin(std::chrono::milliseconds patience);
  // Does the same but waits as long as it takes.
  void end();

 private:
  void stop();

  std::vector<std::unique_ptr<TorchThread>> threads_;
  bool ended_ = false;
};

}  // namespace dan
