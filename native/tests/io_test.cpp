#include <filesystem>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/weights_file.h"
#include "tests/test.h"

namespace dan::tests {

namespace fs = std::filesystem;

DAN_TEST(broken_and_hostile_files_are_typed_errors) {
  size_t bad = 0, good = 0;
  const auto index = fixtureJson("bad/index.json");
  for (const auto& [name, entry] : index.items()) {
    const bool isControl = name.rfind("ok_", 0) == 0 || name.rfind("nan_inf", 0) == 0;
    const bool officialLoads = entry.at("official_loader").get<std::string>().rfind("loads", 0) == 0;
    try {
      io::readWeightsFile(fixture("bad/" + name));
      if (!isControl && !officialLoads) failTest(name + " was read without an error");
      ++good;
    } catch (const CoreError& error) {
      if (isControl) failTest(name + ": " + error.what());
      EXPECT(std::string(error.what()).find(name) != std::string::npos);
      ++bad;
    }
  }
  EXPECT(bad >= 40 && good >= 3);
  EXPECT(!fs::exists(fs::temp_directory_path() / "PWNED_BY_FIXTURE"));
}

DAN_TEST(safetensors_come_back_as_they_were_written) {
  const Scratch scratch;
  const std::string path = scratch.at("round-trip.safetensors");
  const TensorMap tensors = {{"a", at::randn({3, 5})},
                             {"b", at::arange(7)},
                             {"c", at::randn({2}).to(at::kBFloat16)},
                             {"empty", at::zeros({0, 4})}};
  io::writeSafetensors(path, tensors, {{"key", "value \"quoted\""}});
  const auto file = io::readSafetensors(path);
  EXPECT(file.metadata.at("key") == "value \"quoted\"");
  EXPECT(file.tensors.size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT(file.tensors.at(name).scalar_type() == tensor.scalar_type());
    EXPECT(file.tensors.at(name).equal(tensor));
  }
}

DAN_TEST(the_published_bin_and_its_safetensors_hold_the_same) {
  const auto bin = io::readWeightsFile(fixture("golden/dual-checkpoint/pytorch_lora_weights.bin")).tensors;
  const auto safe = io::readWeightsFile(fixture("golden/dual-checkpoint/pytorch_lora_weights.safetensors")).tensors;
  EXPECT(bin.size() == safe.size());
  for (const auto& [name, tensor] : safe) EXPECT(bin.at(name).equal(tensor));
}

DAN_TEST(a_file_that_was_not_committed_leaves_nothing) {
  const Scratch scratch;
  const fs::path path = scratch.at("half-written");
  {
    io::AtomicFile file(path);
    file.write("half", 4);
  }
  for (const auto& entry : fs::directory_iterator(path.parent_path())) {
    EXPECT(entry.path().filename().string().rfind("half-written", 0) != 0);
  }
  expectError([] { io::AtomicFile("/nonexistent-folder/file"); }, "/nonexistent-folder/file");
}

}  // namespace dan::tests
