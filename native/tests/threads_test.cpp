// These tests cover torch threads and the memory that they share. `npm run sanitize -- thread` checks them for races.
#include <ATen/ATen.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/host_memory.h"
#include "core/memory_meter.h"
#include "core/torch_thread.h"
#include "tests/on_threads.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

// It waits until an event has happened a given number of times.
class Counter {
 public:
  void add() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void waitFor(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }
  int count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

}  // namespace

DAN_TEST(a_torch_thread_does_its_jobs_in_order_and_frees_what_they_held) {
  std::vector<int> order;  // Only the torch thread uses it.
  Counter done;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  TorchThread thread;
  for (int i = 0; i < 100; ++i) {
    thread.post(std::make_shared<Task>(), [&, i, held] {
      order.push_back(i);
      done.add();
    });
  }
  held.reset();
  done.waitFor(100);
  Counter after;
  thread.post(std::make_shared<Task>(), [&] { after.add(); });
  after.waitFor(1);  // The hundredth job itself has been destroyed by now.
  EXPECT(watched.expired());
  for (int i = 0; i < 100; ++i) EXPECT(order[static_cast<size_t>(i)] == i);
}

DAN_TEST(a_job_is_cancelled_from_other_threads) {
  TorchThread thread;
  Counter running, ended;
  const auto task = std::make_shared<Task>();
  std::string code;
  thread.post(task, [&] {
    running.add();
    try {
      for (;;) {
        task->checkCancelled();
        std::this_thread::yield();
      }
    } catch (const CoreError& error) {
      code = error.code;
    }
    ended.add();
  });
  running.waitFor(1);
  onThreads([&](int) { task->cancel(); });
  ended.waitFor(1);
  EXPECT(code == kAborted);
}

DAN_TEST(a_stopped_torch_thread_cancels_one_job_and_drops_the_others) {
  Counter running;
  int dropped = 0;  // It must stay 0.
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  {
    TorchThread thread;
    const auto task = std::make_shared<Task>();
    thread.post(task, [&running, task] {
      running.add();
      while (!task->cancelled()) std::this_thread::yield();
    });
    running.waitFor(1);
    EXPECT(!thread.endsBefore(std::chrono::steady_clock::now()));  // Nothing has stopped the thread yet.
    onThreads([&](int) {
      for (int i = 0; i < 50; ++i) thread.post(std::make_shared<Task>(), [&dropped, held] { ++dropped; });
    });
    thread.stop();
    EXPECT(thread.endsBefore(std::chrono::steady_clock::now() + std::chrono::minutes(1)));
    thread.post(std::make_shared<Task>(), [&dropped] { ++dropped; });
  }
  held.reset();
  EXPECT(dropped == 0 && watched.expired());
}

DAN_TEST(torch_threads_work_beside_each_other) {
  TorchThreads threads;
  Counter met;
  for (size_t i = 0; i < 3; ++i) {
    threads.post(i, std::make_shared<Task>(), [&] {
      met.add();
      met.waitFor(3);  // No job continues before all have started.
    });
  }
  met.waitFor(3);
  EXPECT(threads.endWithin(std::chrono::minutes(1)));
  threads.post(0, std::make_shared<Task>(), [&] { met.add(); });
  threads.end();
  EXPECT(met.count() == 3);
}

DAN_TEST(tensors_pass_from_thread_to_thread) {
  releaseHostMemory();  // A block that an earlier test freed may be a little larger than what is asked for.
  const int64_t before = hostMemory().used;
  std::vector<at::Tensor> made(kThreads);
  const MemoryMeter meter;
  onThreads([&](int i) {
    const MemoryMeter own;
    for (int round = 0; round < 20; ++round) {
      // The block has 2 MiB, and the assignment frees the previous one.
      made[static_cast<size_t>(i)] = at::full({1 << 19}, static_cast<double>(i));
    }
    EXPECT(own.grown() == int64_t{1} << 21);
  });
  // This meter does not count the memory of other threads.
  EXPECT(meter.grown() == 0 && hostMemory().used - before == int64_t{kThreads} << 21);
  for (int i = 0; i < kThreads; ++i) EXPECT(made[static_cast<size_t>(i)][7].item<float>() == static_cast<float>(i));
  made.clear();
  onThreads([](int) { releaseHostMemory(); });
  EXPECT(hostMemory().used == before && hostMemory().kept == 0);
}

}  // namespace dan::tests
