// One thread for each Node environment on which all of its torch work runs, one job after the other.
#pragma once

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

 private:
  struct Job {
    std::shared_ptr<Task> task;
    std::function<void()> run;
  };
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::shared_ptr<Task> running_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace dan::binding
