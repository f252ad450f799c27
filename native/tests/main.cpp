// dualanodiff-native-tests FIXTURES_DETAIL: runs every test of this folder.
#include <cstdio>

#include "core/error.h"
#include "io/safetensors.h"
#include "model/config.h"
#include "tests/test.h"

namespace dan::tests {

namespace {
std::string folder;
}

std::vector<Test>& allTests() {
  static std::vector<Test> tests;
  return tests;
}

std::string fixture(const std::string& relative) { return folder + "/" + relative; }

const TensorMap& fixtureTensors(const std::string& relative) {
  static std::map<std::string, TensorMap> files;
  const auto found = files.find(relative);
  return found != files.end() ? found->second : files[relative] = io::readSafetensors(fixture(relative)).tensors;
}

nlohmann::json fixtureJson(const std::string& relative) { return model::readJsonFile(fixture(relative)); }

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
  try {
    body();
  } catch (const CoreError& error) {
    if (std::string(error.what()).find(text) == std::string::npos)
      failTest(c10::str("'", error.what(), "' lacks '", text, "'"));
    return;
  }
  failTest("nothing was thrown where '" + text + "' was expected");
}

}  // namespace dan::tests

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: dualanodiff-native-tests FIXTURES_DETAIL\n");
    return 2;
  }
  dan::tests::folder = argv[1];
  int passed = 0, failed = 0;
  for (const auto& test : dan::tests::allTests()) {
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
