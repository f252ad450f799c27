// `dualanodiff-golden DIR [--kinds a,b]` runs every case of DIR/manifest.json through the engine.
#include <ATen/Parallel.h>

#include <cstdio>
#include <sstream>

#include "core/error.h"
#include "core/wait_policy.h"
#include "golden/case.h"
#include "model/config.h"

namespace {

// Runs one case. Returns the reason if it failed, else an empty string.
std::string run(dan::golden::Case& test, const dan::golden::Handlers& handlers) {
  const auto handler = handlers.find(test.kind());
  if (handler == handlers.end()) return "no such kind is known";
  try {
    handler->second(test);
    test.finish();
    return test.failures();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

int main(int argc, char** argv) {
  dan::restartWithWaitPolicy(argv);
  if (argc != 2 && !(argc == 4 && std::string(argv[2]) == "--kinds")) {
    std::fprintf(stderr, "usage: npm run golden -- DIR [--kinds a,b]\n");
    return 2;
  }
  const std::string folder = argv[1];
  std::string kinds = argc == 4 ? "," + std::string(argv[3]) + "," : "";
  dan::golden::Handlers handlers;
  dan::golden::addModelHandlers(handlers);
  dan::golden::addDetectorHandlers(handlers);
  dan::golden::addDiffusionHandlers(handlers);
  dan::golden::addDualHandlers(handlers);
  dan::golden::addEvaluationHandlers(handlers);
  dan::golden::addFeatureHandlers(handlers);
  dan::golden::addFileHandlers(handlers);
  dan::golden::addPlaceHandlers(handlers);
  int passed = 0, failed = 0;
  try {
    for (const auto& entry : dan::model::readJsonFile(folder + "/manifest.json")) {
      dan::golden::Case test(folder, entry);
      if (!kinds.empty() && kinds.find("," + test.kind() + ",") == std::string::npos) continue;
      const std::string failure = run(test, handlers);
      const bool ok = failure.empty();
      ++(ok ? passed : failed);
      std::printf("%s %s %s %.3g %.3g%s%s\n", ok ? "PASS" : "FAIL", test.kind().c_str(), test.name().c_str(),
                  test.maxAbsolute(), test.maxRelative(), ok ? "" : "  ", failure.c_str());
      std::fflush(stdout);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0 || passed == 0 ? 1 : 0;
}
