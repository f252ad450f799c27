// DevNet and DRA learn from a few defects, go on where they were interrupted, and can be saved.
#include "core/random.h"
#include "detect/dra_detector.h"
#include "metrics/ranking.h"
#include "tests/detector_checks.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kFewShotDetectorsSide = 64;

std::unique_ptr<detect::Detector> make(const std::string& name, uint64_t seed, int64_t side = kFewShotDetectorsSide) {
  return detect::makeDetector(shortFit(name, "resnet18", seed), fitData(side, /*defects=*/true), at::kCPU);
}

at::Tensor unseen(int64_t count, bool defects, int64_t side = kFewShotDetectorsSide) {
  return at::stack(noisePool(count, side, defects, 77)->images);
}

void expectLearns(const std::string& name) {
  constexpr int64_t kLarge = 128;  // The last stage then has 4 x 4 places.
  const Task task;
  const auto detector = make(name, 3, kLarge);
  for (int i = 0; i < 30; ++i) detector->step(task);
  const at::Tensor good = detector->score(unseen(6, false, kLarge), task).scores;
  const auto pool = noisePool(6, kLarge, true, 78);
  const detect::Scored found = detector->score(at::stack(pool->images), task);
  EXPECT(found.scores.min().item<double>() > good.max().item<double>());
  const at::Tensor inside = at::stack(pool->masks) != 0;
  EXPECT(found.maps.masked_select(inside).mean().item<double>() >
         found.maps.masked_select(~inside).mean().item<double>());
  expectSavable(*detector, at::stack(pool->images));
}

}  // namespace

DAN_TEST(devnet_learns_from_few_defects) { expectLearns("devnet"); }

DAN_TEST(dra_learns_from_few_defects) { expectLearns("dra"); }

DAN_TEST(devnet_resumes_bit_for_bit_and_follows_its_seed) {
  expectResumable([](uint64_t seed) { return make("devnet", seed); }, 4, unseen(3, true));
}

DAN_TEST(dra_resumes_bit_for_bit_and_follows_its_seed) {
  expectResumable([](uint64_t seed) { return make("dra", seed); }, 4, unseen(3, true));
}

DAN_TEST(few_shot_detectors_start_from_a_backbone_file) {
  const Scratch scratch;
  const std::string path = scratch.at("resnet18.safetensors");
  writeRandomResNet18(path);
  detect::DetectorSettings settings = shortFit("devnet", "resnet18", 3, /*channels=*/64);
  const auto fresh = detect::makeDetector(settings, fitData(kFewShotDetectorsSide, true), at::kCPU);
  settings.backboneFile = path;
  const auto started = detect::makeDetector(settings, fitData(kFewShotDetectorsSide, true), at::kCPU);
  const at::Tensor images = unseen(2, false);
  EXPECT(!at::equal(started->score(images, Task()).maps, fresh->score(images, Task()).maps));
  settings.training.batchSize = 1;
  expectError([&] { detect::makeDetector(settings, fitData(kFewShotDetectorsSide, true), at::kCPU); },
              "batch size of at least 2");
  settings.training.batchSize = 4;
  settings.training.channels = 8;
  expectError([&] { detect::makeDetector(settings, fitData(kFewShotDetectorsSide, true), at::kCPU); }, path);
  settings.backbone = "resnet50";
  expectError([&] { detect::makeDetector(settings, fitData(kFewShotDetectorsSide, true), at::kCPU); },
              "does not hold weights of resnet50: they look like resnet18");
  settings.backbone = "mobilenet-v2";
  expectError([&] { detect::makeDetector(settings, fitData(kFewShotDetectorsSide, true), at::kCPU); },
              "expected resnet18, resnet50 or wide-resnet50-2 but received mobilenet-v2");
}

DAN_TEST(dra_scores_images_of_the_size_it_was_fitted_on) {
  const auto detector = make("dra", 3);
  expectError([&] { detector->score(at::zeros({1, 96, 64, 3}, at::kByte), Task()); }, "which is not 96 x 64");
}

DAN_TEST(dra_needs_its_reference_images_no_more_once_its_fit_has_ended) {
  const Task task;
  detect::DetectorSettings settings = shortFit("dra", "resnet18", 3);
  settings.training.iterations = 2;
  detect::FitData data = fitData(kFewShotDetectorsSide, /*defects=*/true);
  const augment::Pool good = data.good;
  const auto detector = detect::makeDetector(settings, std::move(data), at::kCPU);
  const at::Tensor images = unseen(2, true);
  const auto scoresAfter = [&](auto change) {
    const at::Tensor before = detector->score(images, task).scores;
    change();
    return at::equal(before, detector->score(images, task).scores);
  };
  const auto invert = [&] {
    for (const at::Tensor& image : good->images) at::Tensor(image).bitwise_not_();
  };
  detector->step(task);
  EXPECT(!scoresAfter(invert));  // The features of the references change with every step, so they are not kept.
  detector->step(task);
  EXPECT(scoresAfter(invert));
}

DAN_TEST(pseudo_defects_mark_what_they_change) {
  const auto pool = noisePool(4, kFewShotDetectorsSide, false, 9);
  const auto plain = noisePool(1, kFewShotDetectorsSide, false, 9);
  pool->images.resize(1);  // The only picture pastes a piece of itself.
  double smallest = 1, largest = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    Rng rng(makeGenerator(1, i));
    const detect::Example example = detect::pseudoDefect(*pool, /*flips=*/false, rng);
    const at::Tensor changed = (example.image != augment::toPicture(plain->images[0])).any(0);
    EXPECT((changed & ~example.mask).sum().item<int64_t>() == 0);
    const double share = example.mask.to(at::kDouble).mean().item<double>();
    smallest = std::min(smallest, share);
    largest = std::max(largest, share);
  }
  EXPECT(smallest > 0.005 && smallest < 0.05 && largest > 0.08 && largest < 0.25);
}

}  // namespace dan::tests
