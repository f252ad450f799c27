// `dualanodiff-native-tests FIXTURES_DETAIL [TEXT]` runs every test of this folder, or those with TEXT in their names.
#include <cstdio>

#include "core/host_memory.h"
#include "core/wait_policy.h"
#include "io/safetensors.h"
#include "model/config.h"
#include "ops/cpu/kernels.h"
#include "tests/test.h"

namespace dan::tests {

namespace {
std::string folder;
}

std::string fixture(const std::string& relative) { return folder + "/" + relative; }

const TensorMap& fixtureTensors(const std::string& relative) {
  static std::map<std::string, TensorMap> files;
  const auto found = files.find(relative);
  return found != files.end() ? found->second : files[relative] = io::readSafetensors(fixture(relative)).tensors;
}

nlohmann::json fixtureJson(const std::string& relative) { return model::readJsonFile(fixture(relative)); }

}  // namespace dan::tests

int main(int argc, char** argv) {
  dan::restartWithWaitPolicy(argv);
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: dualanodiff-native-tests FIXTURES_DETAIL [TEXT]\n");
    return 2;
  }
  dan::tests::folder = argv[1];
  dan::keepHostMemory();  // The addon does this too.
  // The buffer mode must be set before the first line, because scripts/test.mjs reads these lines.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto& sets = dan::ops::cpu::kernelSets();
  for (const dan::ops::cpu::KernelSet& set : sets) {
    // The emulation is compiled for AVX2 (emulated_kernels.h).
    std::printf("KERNELS %s %s\n", set.name, set.isSupported ? "run" : sets[0].isSupported ? "emulated" : "not run");
  }
  return dan::tests::runAll(argc == 3 ? argv[2] : "");
}
