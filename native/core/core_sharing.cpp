#include "core/core_sharing.h"

#include <ATen/Parallel.h>
#include <omp.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/wait_policy.h"

namespace dan {

namespace {

constexpr std::chrono::milliseconds kInterval(250);
constexpr int kMostMembers = 16;  // of a team that shortens the spins
// Between the two limits, the threads go on as they are.
constexpr double kAloneBelow = 50, kSharedAbove = 100;  // preemptions per second

long preemptionsOfProcess() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

}  // namespace

// libgomp spins only for a moment in a process that has more OpenMP threads than cores. It has no function that asks
// for it, but it counts sleeping threads, too: those of a team that belongs to a thread of ours.
struct ShortSpins::Team {
  explicit Team(int threads) : members(std::max(omp_get_num_procs() - threads, 0) + 2), leader([this] { hold(); }) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return isThere; });
  }

  ~Team() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      isOver = true;
      changed.notify_all();
    }
    leader.join();
  }

  void hold() {
    std::atomic<int> met{0};
#pragma omp parallel num_threads(members)
    ++met;  // the compiler leaves out a team that does nothing
    std::unique_lock<std::mutex> lock(mutex);
    isThere = true;
    changed.notify_all();
    changed.wait(lock, [this] { return isOver; });
  }

  const int members;  // with the leader, whom libgomp does not count
  std::mutex mutex;
  std::condition_variable changed;
  bool isThere = false, isOver = false;
  std::thread leader;  // it is the last member, because it uses the others at once
};

ShortSpins::ShortSpins(int threads) : team_(std::make_unique<Team>(threads)) {}
ShortSpins::~ShortSpins() = default;

void CoreSharing::look(Time now, long preemptions, int threads) {
  if (now - lookedAt_ < kInterval) return;
  const double seconds = std::chrono::duration<double>(now - lookedAt_).count();
  const double rate = static_cast<double>(preemptions - preemptions_) / seconds;
  lookedAt_ = now;
  preemptions_ = preemptions;
  if (rate > kSharedAbove && !shortSpins_) shortSpins_ = std::make_unique<ShortSpins>(threads);
  if (rate < kAloneBelow) shortSpins_.reset();
}

void adaptSpins() {
  using Clock = std::chrono::steady_clock;
  static const bool isUsers = userSetsWaitPolicy();
  static std::mutex mutex;
  // It is never destroyed, because the end of the process must not wait for its threads.
  static auto* sharing = new CoreSharing(Clock::now(), preemptionsOfProcess());
  const std::unique_lock<std::mutex> lock(mutex, std::try_to_lock);
  const int threads = at::get_num_threads();
  // A process with few threads on many cores would need a large team, and libgomp ends a process that may have no more.
  const bool canHelp = !isUsers && omp_get_num_procs() - threads < kMostMembers;
  if (canHelp && lock) sharing->look(Clock::now(), preemptionsOfProcess(), threads);
}

}  // namespace dan
