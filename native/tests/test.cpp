#include "tests/test.h"

#include <c10/util/Exception.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "core/error.h"

namespace dan::tests {

namespace {

// The longest test takes some 10 s, or minutes under sanitizers.
constexpr unsigned kLimitSeconds = 600;

const char* running = "";

void put(const char* text) { [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, text, std::strlen(text)); }

// A signal handler may call only a few functions.
void giveUp(int) {
  put("FAIL ");
  put(running);
  // Threads in a deadlock use no CPU time.
  put(std::clock() / CLOCKS_PER_SEC < kLimitSeconds / 10 ? ": hangs\n" : ": does not end\n");
  ::_exit(1);
}

}  // namespace

std::vector<Test>& allTests() {
  static std::vector<Test> tests;
  return tests;
}

int runAll(const std::string& text) {
  int passed = 0, failed = 0;
  // With line buffering, the results so far are printed even if the process crashes.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::signal(SIGALRM, giveUp);
  for (const auto& test : allTests()) {
    if (std::string(test.name).find(text) == std::string::npos) continue;
    running = test.name;
    ::alarm(kLimitSeconds);
    std::string failure;
    try {
      test.run();
    } catch (const c10::Error& error) {
      failure = error.what_without_backtrace();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    std::printf("%s %s%s%s\n", failure.empty() ? "PASS" : "FAIL", test.name, failure.empty() ? "" : ": ",
                failure.c_str());
    ++(failure.empty() ? passed : failed);
  }
  running = "the end of the process";
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0 || passed == 0 ? 1 : 0;
}

Scratch::Scratch() {
  std::string folder = std::filesystem::temp_directory_path() / "dualanodiff-native-tests-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr)
    failTest(c10::str("cannot make the folder ", folder, ": ", std::strerror(errno)));
  path_ = folder;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void failTest(const std::string& reason) { throw std::runtime_error(reason); }

void expectClose(const at::Tensor& actual, const at::Tensor& expected, double atol, double rtol,
                 const std::string& what) {
  if (actual.numel() != expected.numel())
    failTest(c10::str(what, " has shape ", actual.sizes(), ", expected ", expected.sizes()));
  const at::Tensor a = actual.detach().to(at::kDouble).flatten(), b = expected.to(at::kDouble).flatten();
  if (!at::isfinite(a).all().item<bool>()) failTest(what + " is not finite");
  const double excess = ((a - b).abs() - atol - rtol * b.abs()).max().item<double>();
  if (!(excess <= 0)) failTest(c10::str(what, " is off by up to ", (a - b).abs().max().item<double>()));
}

void expectError(const std::function<void()>& body, const std::string& text) {
  std::string message;
  try {
    body();
  } catch (const CoreError& error) {
    message = error.what();
  } catch (const c10::Error& error) {
    message = error.what_without_backtrace();
  }
  if (message.empty()) failTest("nothing was thrown where '" + text + "' was expected");
  if (message.find(text) == std::string::npos) failTest(c10::str("'", message, "' lacks '", text, "'"));
}

}  // namespace dan::tests
