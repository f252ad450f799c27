#include "ops/kernel_choice.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"

namespace dan::ops {

namespace {

// Libtorch's must be faster by more than times vary, so that machines of one kind choose alike.
constexpr double kMargin = 1.1;
constexpr int kRevision = 3;  // of our kernels and of the contests

nlohmann::json toJson(const std::string& machine, const Choices& choices) {
  return {{"machine", machine}, {"ours_is_used", choices}};
}

// Returns nothing where there is no file. Throws ERR_FILE_ACCESS for one about another machine or other contests.
std::optional<Choices> readChoices(const std::string& path, const std::string& machine,
                                   const std::vector<Contest>& contests) {
  std::ifstream file(path);
  if (!file) {
    std::error_code error;
    if (std::filesystem::exists(path, error)) fail(kFileAccess, path, " cannot be read");
    return std::nullopt;
  }
  const auto read = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  const auto choices = read.is_object() ? read.find("ours_is_used") : read.end();
  if (choices == read.end() || !choices->is_object() || !read.contains("machine") || read["machine"] != machine)
    fail(kFileAccess, path, " does not hold the choices of kernels for '", machine,
         "'; delete it, and it is made anew");
  Choices result;
  for (const Contest& contest : contests) {
    const auto found = choices->find(contest.name);
    if (found == choices->end() || !found->is_boolean())
      fail(kFileAccess, path, " lacks the choice of '", contest.name, "'; delete it, and it is made anew");
    result[contest.name] = found->get<bool>();
  }
  return result;
}

// Writes the file unless there is one. Returns false if there is none afterwards.
bool writeIfMissing(const std::string& path, const std::string& text) {
  std::error_code error;
  std::string draft = path + ".XXXXXX";
  const int descriptor = ::mkstemp(draft.data());
  if (descriptor < 0) return false;
  // Other users of the folder must read the same choice.
  const bool isWritten = ::fchmod(descriptor, 0644) == 0 &&
                         ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  // A link appears whole, and only where no other process was first.
  const bool isClosed = ::close(descriptor) == 0;
  if (isWritten && isClosed) std::filesystem::create_hard_link(draft, path, error);
  ::unlink(draft.c_str());
  return std::filesystem::exists(path, error);
}

std::string cpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

}  // namespace

Times race(const Contest& contest) {
  using Clock = std::chrono::steady_clock;
  constexpr int kTurns = 9;
  contest.ours();
  contest.libtorchs();
  constexpr double kForever = std::numeric_limits<double>::infinity();
  Times least{kForever, kForever};
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto start = Clock::now();
    contest.ours();
    const auto middle = Clock::now();
    contest.libtorchs();
    least.ours = std::min(least.ours, std::chrono::duration<double>(middle - start).count());
    least.libtorchs = std::min(least.libtorchs, std::chrono::duration<double>(Clock::now() - middle).count());
  }
  return least;
}

Choices readOrMeasure(const std::string& path, const std::string& machine, const std::vector<Contest>& contests,
                      const Race& run) {
  if (!path.empty()) {
    if (const auto known = readChoices(path, machine, contests)) return *known;
  }
  Choices allOurs, measured;
  for (const Contest& contest : contests) allOurs[contest.name] = true;
  if (path.empty()) return allOurs;
  std::error_code error;
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::filesystem::create_directories(folder, error);
  if (::access(folder.c_str(), W_OK) != 0) return allOurs;
  for (const Contest& contest : contests) {
    const Times times = run(contest);
    measured[contest.name] = times.ours < times.libtorchs * kMargin;
  }
  if (!writeIfMissing(path, toJson(machine, measured).dump(2) + "\n")) return allOurs;
  return readChoices(path, machine, contests).value_or(allOurs);
}

std::string choicesPath(const std::string& machine) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::string folder = variable("DUALANODIFF_CACHE");
  if (folder.empty() && !variable("XDG_CACHE_HOME").empty()) folder = variable("XDG_CACHE_HOME") + "/dualanodiff";
  std::string home = variable("HOME");
  if (home.empty()) {
    if (const passwd* user = ::getpwuid(::getuid())) home = user->pw_dir;
  }
  if (folder.empty() && !home.empty()) folder = home + "/.cache/dualanodiff";
  if (folder.empty()) return "";
  std::string name = machine;
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '.') letter = '-';
  }
  return folder + "/kernels-" + name + ".json";
}

std::string describeMachine() { return c10::str(cpuName(), ", libtorch ", TORCH_VERSION, ", kernels ", kRevision); }

}  // namespace dan::ops
