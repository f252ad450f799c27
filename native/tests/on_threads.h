// This helper runs the same work on several threads at once.
#pragma once

#include <ATen/Parallel.h>

#include <atomic>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace dan::tests {

inline constexpr int kThreads = 4;

// Runs `work` on kThreads threads at once and passes each its number. Rethrows the first exception of a thread.
inline void onThreads(const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> failures(kThreads);
  std::atomic<int> waiting{kThreads};
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      --waiting;
      // This makes all threads start together.
      while (waiting > 0) std::this_thread::yield();
      try {
        at::set_num_threads(1);
        work(i);
      } catch (...) {
        failures[static_cast<size_t>(i)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace dan::tests
