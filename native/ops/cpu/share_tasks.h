// Threads share out the tasks of a kernel here. Cores of a shared machine can differ in speed by four times from one
// second to the next, so a thread takes the next task when it is done with its last one, instead of a fixed share.
// The result of a task must not depend on the thread that does it.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <optional>

namespace dan::ops::cpu {

class TaskSource {
 public:
  explicit TaskSource(int64_t count) : count_(count) {}

  // Returns the next task, or nothing when all are taken.
  std::optional<int64_t> next() {
    const int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
    return task < count_ ? std::optional(task) : std::nullopt;
  }

 private:
  const int64_t count_;
  std::atomic<int64_t> next_{0};
};

// Calls work(tasks) in each thread, which does the tasks that it takes from the source until there are none.
template <class Work>
void shareTasks(int64_t count, const Work& work) {
  TaskSource tasks(count);
  at::parallel_for(0, std::min<int64_t>(count, at::get_num_threads()), 1, [&](int64_t, int64_t) { work(tasks); });
}

}  // namespace dan::ops::cpu
