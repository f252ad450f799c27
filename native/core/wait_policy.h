// OpenMP's threads wait actively for their next work for some time. libgomp reads that time from the environment while
// it is being opened. By default it lets them spin for milliseconds: two processes on the same cores then nearly stop
// each other, because each spins where the other has work. This header needs only the standard library, because the
// loader includes it.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>

namespace dan {

constexpr const char* kSpinCountName = "GOMP_SPINCOUNT";

// A sleeping thread takes about 30 microseconds to wake up, and most work follows sooner than this constant. We
// measured with `npm run bench -- two-jobs`: sleeping at once (OMP_WAIT_POLICY=passive) slows a single job by a
// quarter, and spinning for 100 microseconds or more slows two concurrent jobs.
constexpr double kSpinMicroseconds = 50;

// Returns kSpinMicroseconds as turns of libgomp's waiting loop. The duration of a turn differs by a factor of five
// between CPUs, so we measure it.
inline std::string spinCount() {
  using Clock = std::chrono::steady_clock;
  constexpr int kRounds = 20, kTurns = 100;
  double shortest = 1e9;  // microseconds of a round; longer rounds were interrupted
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    for (int turn = 0; turn < kTurns; ++turn) __builtin_ia32_pause();
    shortest = std::min(shortest, std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  return std::to_string(std::clamp(std::lround(kSpinMicroseconds * kTurns / shortest), 100L, 50000L));
}

// Returns true if the user's environment says how OpenMP's threads wait. An empty variable says nothing.
inline bool userSetsWaitPolicy() {
  for (const char* name : {"OMP_WAIT_POLICY", kSpinCountName, "KMP_BLOCKTIME", "KMP_LIBRARY"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return true;
  }
  return false;
}

// This is for main() of a program that links to libgomp, which is open before main() begins. It starts the program
// again with the policy in its environment. If that fails, the program continues, only slower beside others.
inline void restartWithWaitPolicy(char** argv) {
  if (userSetsWaitPolicy()) return;
  ::setenv(kSpinCountName, spinCount().c_str(), 1);
  ::execv("/proc/self/exe", argv);
}

}  // namespace dan
