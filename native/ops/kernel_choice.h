// For some work there are two implementations, ours and libtorch's (oneDNN), and which of them is faster depends on the
// CPU. This file measures both once a machine and keeps the choice in a file, because the two round differently: if
// every process measured, the same command could give different files.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace dan::ops {

// Both functions do the same work of one class.
struct Contest {
  std::string name;
  std::function<void()> ours, libtorchs;
};

// These are the seconds that both take.
struct Times {
  double ours, libtorchs;
};
using Race = std::function<Times(const Contest&)>;

// Returns the least of some runs of each, which take turns, so that what else the machine does falls on both.
Times race(const Contest& contest);

// Maps the name of each contest to true where ours is used. It is used unless libtorch's is faster by more than a
// tenth, because times vary.
using Choices = std::map<std::string, bool>;

// Returns the choices of the file `path`. Without a file it measures and writes one. If another process writes first,
// that process's choices are returned. Throws ERR_FILE_ACCESS for a file that cannot be read, or is not about `machine`
// and these contests. Where none can be written, the choice could differ between two runs, so ours are used for
// everything.
Choices readOrMeasure(const std::string& path, const std::string& machine, const std::vector<Contest>& contests,
                      const Race& run);

// Returns the file of this machine's choices: in the folder of DUALANODIFF_CACHE, else of XDG_CACHE_HOME, else
// ~/.cache. It is empty where the user has no home either.
std::string choicesPath(const std::string& machine);

// Returns the CPU's name and the versions on which the choice depends.
std::string describeMachine();

}  // namespace dan::ops
