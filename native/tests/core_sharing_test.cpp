#include "core/core_sharing.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>

#include "tests/test.h"

namespace dan::tests {

namespace {

auto countThreads() {
  const std::filesystem::directory_iterator threads("/proc/self/task");
  return std::distance(begin(threads), end(threads));
}

// It gives a CoreSharing the numbers of preemptions that a process had by some times.
class Preempted {
 public:
  bool sharesAfter(std::chrono::milliseconds time, long more) {
    now_ += time;
    preemptions_ += more;
    sharing_.look(now_, preemptions_, at::get_num_threads());
    return sharing_.isShared();
  }

 private:
  CoreSharing::Time now_;
  long preemptions_ = 7;
  CoreSharing sharing_{now_, preemptions_};
};

}  // namespace

DAN_TEST(core_sharing_is_seen_by_the_rate_of_preemptions) {
  using std::chrono::milliseconds;
  Preempted process;
  EXPECT(!process.sharesAfter(milliseconds(1000), 40));
  EXPECT(process.sharesAfter(milliseconds(500), 200));
  EXPECT(process.sharesAfter(milliseconds(1000), 70));  // this is not yet quiet
  EXPECT(!process.sharesAfter(milliseconds(1000), 10));
  EXPECT(!process.sharesAfter(milliseconds(1000), 70));  // this is not yet shared
}

DAN_TEST(core_sharing_waits_until_enough_time_has_passed) {
  using std::chrono::milliseconds;
  Preempted process;
  EXPECT(!process.sharesAfter(milliseconds(10), 100));
  EXPECT(!process.sharesAfter(milliseconds(10), 0));
  EXPECT(process.sharesAfter(milliseconds(240), 0));  // the preemptions before count
}

DAN_TEST(short_spins_hold_threads_only_while_they_live) {
  // The kernel counts a thread for a moment after it has ended. Threads of earlier tests must not count here.
  const auto sleep = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  auto before = countThreads();
  for (int quiet = 0; quiet < 10; ++quiet) {
    sleep();
    if (countThreads() == before) continue;
    before = countThreads();
    quiet = 0;
  }
  {
    const ShortSpins shortSpins(at::get_num_threads());
    EXPECT(countThreads() >= before + 2);  // the leader of the team, and at least one member
  }
  for (int i = 0; i < 500 && countThreads() != before; ++i) sleep();
  EXPECT(countThreads() == before);
}

}  // namespace dan::tests
