#include "core/torch_thread.h"

#include <algorithm>

namespace dan {

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

bool TorchThread::endsBefore(std::chrono::steady_clock::time_point latest) {
  std::unique_lock<std::mutex> lock(mutex_);
  return ended_.wait_until(lock, latest, [this] { return hasEnded_; });
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
    job = {};  // this thread frees the data that the job held
    const std::lock_guard<std::mutex> lock(mutex_);
    running_.reset();
  }
}

void TorchThreads::post(size_t thread, std::shared_ptr<Task> task, std::function<void()> job) {
  if (ended_) return;
  if (thread >= threads_.size()) threads_.resize(thread + 1);
  if (!threads_[thread]) threads_[thread] = std::make_unique<TorchThread>();
  threads_[thread]->post(std::move(task), std::move(job));
}

void TorchThreads::stop() {
  ended_ = true;
  for (const auto& thread : threads_) {
    if (thread) thread->stop();
  }
}

bool TorchThreads::endWithin(std::chrono::milliseconds patience) {
  stop();
  const auto latest = std::chrono::steady_clock::now() + patience;
  return std::all_of(threads_.begin(), threads_.end(),
                     [latest](const auto& thread) { return !thread || thread->endsBefore(latest); });
}

void TorchThreads::end() {
  stop();  // all are stopped before the first is joined
  threads_.clear();
}

}  // namespace dan
