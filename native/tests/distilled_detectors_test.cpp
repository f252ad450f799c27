// RD4AD, CFA and EfficientAD learn good images from a frozen backbone, go on where they were interrupted, and can be
// saved.
#include "core/random.h"
#include "tests/detector_checks.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kDistilledDetectorsSide = 64, kEfficientAdSide = 256;

class Backbone {
 public:
  Backbone() : path_(scratch_.at("resnet18.safetensors")) { writeRandomResNet18(path_); }
  std::unique_ptr<detect::Detector> make(const std::string& name, uint64_t seed) const {
    detect::DetectorSettings settings = shortFit(name, "resnet18", seed);
    settings.backboneFile = path_;
    // The random backbone's features are large, so CFA's convolution needs small steps.
    settings.training.learningRate = name == "cfa" ? 1e-4 : 5e-3;
    return detect::makeDetector(settings, fitData(kDistilledDetectorsSide, /*defects=*/false), at::kCPU);
  }
  std::unique_ptr<detect::Detector> efficientAd(uint64_t seed, int64_t side = kEfficientAdSide) const {
    detect::DetectorSettings settings = shortFit("efficientad", "resnet18", seed, /*channels=*/4);
    settings.backboneFile = path_;
    settings.training.batchSize = 1;
    settings.training.learningRate = 1e-4;
    settings.training.iterations = 4;  // Two of them distil the teacher.
    return detect::makeDetector(settings, fitData(side, /*defects=*/false), at::kCPU);
  }

 private:
  Scratch scratch_;
  std::string path_;
};

at::Tensor someDefects() { return at::stack(noisePool(2, kDistilledDetectorsSide, true, 77)->images); }

// The loss must fall below `share` of the first.
void expectFindsWhatDiffers(const std::string& name, double share) {
  const Backbone backbone;
  const Task task;
  const auto detector = backbone.make(name, 3);
  double first = 0, last = 0;
  for (int i = 0; i < 20; ++i) {
    const double loss = detector->step(task).loss;
    if (i == 0) first = loss;
    last = loss;
  }
  if (!(last < share * first)) failTest(c10::str("The loss fell from ", first, " to ", last));
  const auto pool = noisePool(4, kDistilledDetectorsSide, true, 78);
  const detect::Scored found = detector->score(at::stack(pool->images), task);
  const detect::Scored good =
      detector->score(at::stack(noisePool(4, kDistilledDetectorsSide, false, 77)->images), task);
  EXPECT(found.scores.min().item<double>() > good.scores.max().item<double>());
  EXPECT(at::equal(found.scores, found.maps.amax({1, 2})));
  const at::Tensor inside = at::stack(pool->masks) != 0;
  EXPECT(found.maps.masked_select(inside).mean().item<double>() >
         found.maps.masked_select(~inside).mean().item<double>());
  expectSavable(*detector, at::stack(pool->images));
}

}  // namespace

DAN_TEST(rd4ad_learns_good_images_and_finds_what_differs) { expectFindsWhatDiffers("rd4ad", 0.5); }

DAN_TEST(cfa_learns_good_images_and_finds_what_differs) { expectFindsWhatDiffers("cfa", 0.97); }

DAN_TEST(rd4ad_resumes_bit_for_bit_and_follows_its_seed) {
  const Backbone backbone;
  expectResumable([&](uint64_t seed) { return backbone.make("rd4ad", seed); }, 2, someDefects());
}

DAN_TEST(cfa_resumes_bit_for_bit_and_follows_its_seed) {
  const Backbone backbone;
  expectResumable([&](uint64_t seed) { return backbone.make("cfa", seed); }, 2, someDefects());
}

// The checkpoint lies between the distillation of the teacher and the student's first step.
DAN_TEST(efficientad_resumes_bit_for_bit_and_can_be_saved) {
  const Backbone backbone;
  const at::Tensor images = at::stack(noisePool(1, kEfficientAdSide, true, 77)->images);
  expectResumable([&](uint64_t seed) { return backbone.efficientAd(seed); }, 4, images);
  const auto detector = backbone.efficientAd(3);
  for (int i = 0; i < 3; ++i) detector->step(Task());
  expectSavable(*detector, images);
}

// The protocol `small` shows squares of 128 pixels.
DAN_TEST(efficientad_sees_small_squares_at_twice_their_size) {
  const Backbone backbone;
  constexpr int64_t kSmallSide = kEfficientAdSide / 2;
  const auto detector = backbone.efficientAd(3, kSmallSide);
  for (int i = 0; i < 4; ++i) detector->step(Task());
  const at::Tensor images = at::stack(noisePool(2, kSmallSide, true, 77)->images);
  EXPECT(detector->score(images, Task()).maps.sizes() == at::IntArrayRef({2, kSmallSide, kSmallSide}));
  expectSavable(*detector, images);
  expectError([&] { backbone.efficientAd(3, kSmallSide - 32); }, "from 128 pixels on but received 96 x 96");
}

DAN_TEST(damaged_files_of_detectors_name_the_tensor) {
  const Backbone backbone;
  const Scratch scratch;
  const std::string path = scratch.at("detector.safetensors"), damaged = scratch.at("damaged.safetensors");
  const auto expectNamed = [&](const detect::Detector& detector, const std::string& name, const at::Tensor& instead,
                               const std::string& text) {
    detector.save(path, {});
    io::SafetensorsFile file = io::readSafetensors(path);
    EXPECT(file.tensors.count(name) == 1);
    file.tensors[name] = instead;
    io::writeSafetensors(damaged, file.tensors, file.metadata);
    expectError([&] { detect::loadDetector(damaged, at::kCPU); }, text);
  };
  expectNamed(*backbone.efficientAd(3), "teacher.running_mean", at::scalar_tensor(1), "teacher.");
  expectNamed(*backbone.make("cfa", 3), "running_memory", at::scalar_tensor(1), "running_memory");
  expectNamed(*backbone.make("rd4ad", 3), "bottleneck.conv1.weight", at::zeros({1, 1, 3, 3}),
              "bottleneck.conv1.weight");
}

}  // namespace dan::tests
