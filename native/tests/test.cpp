#include "tests/test.h"

#include <c10/util/Exception.h>

#include <cstdio>

#include "core/error.h"

namespace dan::tests {

std::vector<Test>& allTests() {
  static std::vector<Test> tests;
  return tests;
}

int runAll(const std::string& text) {
  int passed = 0, failed = 0;
  for (const auto& test : allTests()) {
    if (std::string(test.name).find(text) == std::string::npos) continue;
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
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0 || passed == 0 ? 1 : 0;
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
