// These tests cover the interface of all detectors: what a saved file gives back, and what is refused.
#include <cmath>

#include "core/random.h"
#include "detect/detector.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kDetectorFileSide = 32;

augment::Pool makeFilePool(int64_t count, bool hasMasks, uint64_t seed) {
  auto pool = std::make_shared<augment::PixelPool>();
  pool->height = pool->width = kDetectorFileSide;
  Rng rng(makeGenerator(seed));
  for (int64_t i = 0; i < count; ++i) {
    pool->images.push_back((rng.uniform({kDetectorFileSide, kDetectorFileSide, 3}) * 255).to(at::kByte));
    if (hasMasks) pool->masks.push_back((rng.uniform({kDetectorFileSide, kDetectorFileSide}) > 0.7).to(at::kByte));
  }
  return pool;
}

detect::DetectorSettings settingsOf(const std::string& name) {
  detect::DetectorSettings settings;
  settings.name = name;
  settings.training.channels = 8;
  settings.training.batchSize = 3;
  settings.training.iterations = 4;
  settings.training.learningRate = 1e-3;
  settings.training.seed = 7;
  return settings;
}

std::unique_ptr<detect::Detector> make(const std::string& name) {
  const augment::Pool good = makeFilePool(3, false, 1), defects = makeFilePool(3, true, 2);
  return detect::makeDetector(settingsOf(name),
                              {good, detect::makeDefectSource({}, good, defects, {{0, 0, 0}, {0, 0, 0}})}, at::kCPU);
}

at::Tensor images() { return at::stack(makeFilePool(5, false, 9)->images); }

}  // namespace

DAN_TEST(a_saved_detector_gives_the_same_scores_bit_for_bit) {
  const Scratch scratch;
  const std::string path = scratch.at("detector.safetensors");
  const Task task;
  const auto fitted = make("unet");
  while (fitted->position() < fitted->steps()) fitted->step(task);
  fitted->save(path, {{"resolution", "32"}});
  const auto loaded = detect::loadDetector(path, at::kCPU);
  EXPECT(loaded->settings().name == "unet" && loaded->position() == loaded->steps());
  const detect::Scored expected = fitted->score(images(), task), scored = loaded->score(images(), task);
  EXPECT(scored.maps.sizes() == at::IntArrayRef({5, kDetectorFileSide, kDetectorFileSide}) && !scored.scores.defined());
  EXPECT(at::equal(scored.maps, expected.maps));
  // The optimiser and the position are not part of the file.
  for (const auto& [name, tensor] : io::readSafetensors(path).tensors) {
    EXPECT(name.find("exp_avg") == std::string::npos && name != "position" && !tensor.requires_grad());
  }
  EXPECT(io::readSafetensors(path).metadata.at("resolution") == "32");
}

DAN_TEST(a_cancelled_task_ends_fit_and_score) {
  Task task;
  const auto detector = make("unet");
  detector->step(task);
  task.cancel();
  expectError([&] { detector->step(task); }, "aborted");
  expectError([&] { detector->score(images(), task); }, "aborted");
  EXPECT(detector->position() == 1);
}

DAN_TEST(detectors_say_what_is_missing) {
  const augment::Pool good = makeFilePool(2, false, 1), none = makeFilePool(0, false, 1);
  const auto makeWith = [](const std::string& name, const augment::Pool& images) {
    return detect::makeDetector(settingsOf(name), {images, nullptr}, at::kCPU);
  };
  expectError([&] { makeWith("patchcor", good); }, "Expected one of unet");
  expectError([&] { makeWith("unet", none); }, "There are no good images");
  expectError([&] { makeWith("unet", good); }, "learns from defects, but there are none");
}

DAN_TEST(other_files_are_not_taken_for_detectors) {
  const Scratch scratch;
  const std::string path = scratch.at("detector.safetensors"), broken = scratch.at("broken.safetensors");
  make("unet")->save(path, {});
  const io::SafetensorsFile file = io::readSafetensors(path);
  const auto load = [&](const TensorMap& tensors, const io::Metadata& metadata) {
    io::writeSafetensors(broken, tensors, metadata);
    detect::loadDetector(broken, at::kCPU);
  };
  const auto with = [&](const char* key, const char* value) {
    io::Metadata metadata = file.metadata;
    metadata[key] = value;
    return metadata;
  };
  expectError([&] { load(file.tensors, {}); }, "is not a detector");
  expectError([&] { load(file.tensors, with("format", "dualanodiff")); }, "is not a detector");
  expectError([&] { load(file.tensors, with("format_version", "2")); }, "update the package");
  expectError([&] { load(file.tensors, with("detector", "mystery")); }, "holds the detector mystery");
  expectError([&] { load(file.tensors, with("channels", "-8")); }, "channels");
  expectError([&] { load(file.tensors, with("channels", "16")); }, "expected shape");
  expectError([&] { load(file.tensors, with("batch_size", "1e9")); }, "batch_size");
  // The settings of a file are no options of the user's, so that a backbone in them is never ERR_INVALID_OPTION.
  for (const char* name : {"patchcore", "supersimplenet", "cfa", "rd4ad", "devnet", "dra"}) {
    io::Metadata metadata = with("backbone", "resnet999");
    metadata["detector"] = name;
    std::string code;
    const auto loadDamaged = [&] {
      try {
        load(file.tensors, metadata);
      } catch (const CoreError& error) {
        code = error.code;
        throw;
      }
    };
    expectError(loadDamaged, broken + " is a damaged detector");
    EXPECT(code == kWeightsInvalid);
  }
  TensorMap tensors = file.tensors;
  const std::string first = tensors.begin()->first;
  tensors[first] = at::full_like(tensors[first], NAN);
  expectError([&] { load(tensors, file.metadata); }, first);
  tensors.erase(first);
  expectError([&] { load(tensors, file.metadata); }, first);
  tensors = file.tensors;
  tensors["surplus"] = at::zeros({2});
  expectError([&] { load(tensors, file.metadata); }, "surplus");
}

}  // namespace dan::tests
