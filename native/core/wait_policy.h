// How long the threads of OpenMP wait awake for their next work. libgomp reads it from the environment while it is
// being opened. By itself it lets them spin for milliseconds: two processes on the same cores then nearly stop each
// other, because each spins where the other has work. Needs nothing but the standard library, for the loader's sake.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>

namespace dan {

constexpr const char* kSpinCountName = "GOMP_SPINCOUNT";

// A thread that sleeps takes some 30 microseconds to wake up, and most work follows sooner than this. By `npm run bench
// -- two-jobs`: sleeping at once (OMP_WAIT_POLICY=passive) slows a job that is alone by a quarter, and spinning for 100
// microseconds or more slows two at a time.
constexpr double kSpinMicroseconds = 50;

// As turns of libgomp's waiting loop. What one takes differs by a factor of five between CPUs, so it is measured.
inline std::string spinCount() {
  using Clock = std::chrono::steady_clock;
  constexpr int kRounds = 20, kTurns = 100;
  double shortest = 1e9;  // microseconds of a round; others were interrupted
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    for (int turn = 0; turn < kTurns; ++turn) __builtin_ia32_pause();
    shortest = std::min(shortest, std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  return std::to_string(std::clamp(std::lround(kSpinMicroseconds * kTurns / shortest), 100L, 50000L));
}

// Whether the user's environment says how OpenMP's threads wait. A variable that is empty says nothing.
inline bool userSetsWaitPolicy() {
  for (const char* name : {"OMP_WAIT_POLICY", kSpinCountName, "KMP_BLOCKTIME", "KMP_LIBRARY"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return true;
  }
  return false;
}

// For main() of a program that is linked to libgomp, which was opened before: starts the program again with the policy
// in its environment. Where that is not possible the program goes on as it is, only slower beside others.
inline void restartWithWaitPolicy(char** argv) {
  if (userSetsWaitPolicy()) return;
  ::setenv(kSpinCountName, spinCount().c_str(), 1);
  ::execv("/proc/self/exe", argv);
}

}  // namespace dan
