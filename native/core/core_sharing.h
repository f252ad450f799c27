// A spinning thread makes a job faster that has its cores for itself. Where other programs use the same cores, it takes
// the time of a thread that has work.
#pragma once

#include <chrono>
#include <memory>

namespace dan {

// libgomp's threads sleep almost at once while an object of this class lives, and spin as before afterwards.
class ShortSpins {
 public:
  // `threads` is the number of OpenMP threads that the process computes with.
  explicit ShortSpins(int threads);
  ~ShortSpins();
  ShortSpins(const ShortSpins&) = delete;
  ShortSpins& operator=(const ShortSpins&) = delete;

 private:
  struct Team;
  const std::unique_ptr<Team> team_;
};

// Decides how long this process's OpenMP threads spin, by how often the kernel takes its threads off their cores.
class CoreSharing {
 public:
  using Time = std::chrono::steady_clock::time_point;

  CoreSharing(Time now, long preemptions) : lookedAt_(now), preemptions_(preemptions) {}

  // Takes the number of preemptions since the process began, and the number of OpenMP threads that it computes with. It
  // looks at most four times a second.
  void look(Time now, long preemptions, int threads);
  bool isShared() const { return shortSpins_ != nullptr; }

 private:
  Time lookedAt_;
  long preemptions_;
  std::unique_ptr<ShortSpins> shortSpins_;
};

// Looks whether this process shares its cores, and lets its OpenMP threads spin accordingly. Jobs call it between their
// steps, on any thread. It does nothing if the user's environment says how threads wait.
void adaptSpins();

}  // namespace dan
