// What is shared between threads of ours. `npm run sanitize -- thread` looks at how.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/accelerator.h"
#include "core/host_memory.h"
#include "core/memory_meter.h"
#include "core/random.h"
#include "core/torch_thread.h"
#include "io/safetensors.h"
#include "model/base_model.h"
#include "ops/frozen.h"
#include "ops/geglu.h"
#include "ops/group_norm_silu.h"
#include "ops/pair_norm.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int kThreads = 4;

// Runs `work` on so many threads at once, each with its number; what they throw is thrown here.
void onThreads(const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> failures(kThreads);
  std::atomic<int> waiting{kThreads};
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();  // so that all begin together
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

// Waits until it has happened so many times.
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
  std::vector<int> order;  // of the torch thread alone
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
  after.waitFor(1);  // the hundredth job itself is gone by now
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
  int dropped = 0;  // stays 0
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
    EXPECT(!thread.endsBefore(std::chrono::steady_clock::now()));  // nobody stopped it
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
      met.waitFor(3);  // none goes on before all are there
    });
  }
  met.waitFor(3);
  EXPECT(threads.endWithin(std::chrono::minutes(1)));
  threads.post(0, std::make_shared<Task>(), [&] { met.add(); });
  threads.end();
  EXPECT(met.count() == 3);
}

DAN_TEST(tensors_pass_from_thread_to_thread) {
  const int64_t before = hostMemory().used;
  std::vector<at::Tensor> made(kThreads);
  const MemoryMeter meter;
  onThreads([&](int i) {
    const MemoryMeter own;
    for (int round = 0; round < 20; ++round) {
      made[static_cast<size_t>(i)] = at::full({1 << 19}, static_cast<double>(i));  // 2 MiB, and the last one goes
    }
    EXPECT(own.grown() == int64_t{1} << 21);
  });
  EXPECT(meter.grown() == 0 && hostMemory().used - before == int64_t{kThreads} << 21);  // the others' are not its own
  for (int i = 0; i < kThreads; ++i) EXPECT(made[static_cast<size_t>(i)][7].item<float>() == static_cast<float>(i));
  made.clear();
  onThreads([](int) { releaseHostMemory(); });
  EXPECT(hostMemory().used == before && hostMemory().kept == 0);
}

DAN_TEST(operations_are_found_and_chosen_by_several_threads) {
  const at::Tensor x = randn({2, 32, 12, 12}, makeGenerator(1)), tokens = randn({2, 9, 32}, makeGenerator(2));
  const at::Tensor kernel = randn({32, 32, 3, 3}, makeGenerator(3)), weight = randn({64, 32}, makeGenerator(4));
  const at::Tensor scale = randn({32}, makeGenerator(5)), shift = randn({32}, makeGenerator(6));
  const auto compute = [&] {
    const at::NoGradGuard noGrad;
    return std::vector<at::Tensor>{
        ops::frozenConv2d(x, kernel, shift, {1, 1, 1}), ops::geglu(ops::frozenLinear(tokens, weight, {})),
        ops::groupNormSilu(x, 8, scale, shift, 1e-5), std::get<1>(ops::pairNorm(tokens, scale, shift, 1e-6))};
  };
  std::vector<std::vector<at::Tensor>> results(kThreads);
  onThreads([&](int i) {
    EXPECT(cudaState().services == openedCudaServices());
    results[static_cast<size_t>(i)] = compute();
  });
  const auto expected = compute();
  for (const auto& result : results) {
    for (size_t k = 0; k < expected.size(); ++k) EXPECT(result[k].equal(expected[k]));
  }
}

DAN_TEST(bases_are_loaded_and_files_written_by_several_threads) {
  const Scratch scratch;
  const auto path = [&](int i) { return scratch.at(c10::str("states-", i, ".safetensors")); };
  std::vector<std::string> fingerprints(kThreads);
  onThreads([&](int i) {
    const at::NoGradGuard noGrad;
    const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
    fingerprints[static_cast<size_t>(i)] = base->fingerprint;
    io::writeSafetensors(path(i), {{"states", base->textEncoder->forward(base->tokenize({"a stain"}))}}, {});
  });
  const auto bytes = [&](int i) {
    std::ostringstream text;
    text << std::ifstream(path(i), std::ios::binary).rdbuf();
    return text.str();
  };
  for (int i = 1; i < kThreads; ++i) {
    EXPECT(fingerprints[static_cast<size_t>(i)] == fingerprints[0]);
    EXPECT(bytes(i) == bytes(0) && !bytes(i).empty());
  }
}

}  // namespace dan::tests
