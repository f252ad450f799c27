#include "binding/torch_thread.h"

namespace dan::binding {

TorchThread::TorchThread() : thread_([this] { loop(); }) {}

TorchThread::~TorchThread() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void TorchThread::stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  stopping_ = true;
  jobs_.clear();
  if (running_) running_->cancel();
  wake_.notify_one();
}

bool TorchThread::endsWithin(std::chrono::milliseconds patience) {
  stop();
  std::unique_lock<std::mutex> lock(mutex_);
  return ended_.wait_for(lock, patience, [this] { return hasEnded_; });
}

void TorchThread::post(std::shared_ptr<Task> task, std::function<void()> job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
    jobs_.push_back({std::move(task), std::move(job)});
  }
  wake_.notify_one();
}

void TorchThread::loop() {
  for (;;) {
    Job job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) {
        hasEnded_ = true;
        ended_.notify_all();
        return;
      }
      job = std::move(jobs_.front());
      jobs_.pop_front();
      running_ = job.task;
    }
    job.run();
    job = {};  // what the job held is freed on this thread
    const std::lock_guard<std::mutex> lock(mutex_);
    running_.reset();
  }
}

}  // namespace dan::binding
