// `dualanodiff-golden DIR [--kinds a,b] [--device NAME]` runs every case of DIR/manifest.json through the engine, or
// those of some kinds. On another device than the CPU it leaves out the kinds that the engine does on the host. The
// device `stand-in` shows on a machine without a GPU which tensors would be on the wrong device.
#include <ATen/Parallel.h>

#include <cstdio>
#include <set>
#include <sstream>

#include "core/device.h"
#include "core/error.h"
#include "core/wait_policy.h"
#include "golden/case.h"
#include "model/config.h"
#include "tests/stand_in_device.h"

namespace {

struct Options {
  std::string folder, device = "cpu";
  std::set<std::string> kinds;  // all kinds if empty
};

// Returns false if the arguments are wrong.
bool parse(int argc, char** argv, Options& options) {
  if (argc < 2 || argc % 2 != 0) return false;
  options.folder = argv[1];
  for (int i = 2; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--device") {
      options.device = argv[i + 1];
    } else if (flag == "--kinds") {
      std::istringstream list(argv[i + 1]);
      for (std::string kind; std::getline(list, kind, ',');) options.kinds.insert(kind);
    } else {
      return false;
    }
  }
  return true;
}

// Runs one case. Returns the reason if it failed, else an empty string.
std::string run(dan::golden::Case& test, const dan::golden::Handler& handler) {
  try {
    handler.run(test);
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
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr, "usage: npm run golden -- DIR [--kinds a,b] [--device cpu|cuda|stand-in]\n");
    return 2;
  }
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
    const at::Device device =
        options.device == "stand-in" ? dan::tests::standInDevice() : dan::parseDevice(options.device);
    for (const auto& entry : dan::model::readJsonFile(options.folder + "/manifest.json")) {
      const auto kind = entry.at("kind").get<std::string>();
      if (!options.kinds.empty() && options.kinds.count(kind) == 0) continue;
      const auto handler = handlers.find(kind);
      const bool known = handler != handlers.end();
      if (known && !device.is_cpu() && !handler->second.onDevice) continue;
      dan::golden::Case test(options.folder, entry, device);
      const std::string failure = known ? run(test, handler->second) : "no such kind is known";
      const bool ok = failure.empty();
      ++(ok ? passed : failed);
      std::printf("%s %s %s %.3g %.3g%s%s\n", ok ? "PASS" : "FAIL", test.kind().c_str(), test.name().c_str(),
                  test.maxAbsolute(), test.maxRelative(), ok ? "" : "  ", failure.c_str());
      std::fflush(stdout);
    }
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "%s\n", error.what_without_backtrace());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0 || passed == 0 ? 1 : 0;
}
