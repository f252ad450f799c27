// These tests cover the detector DRAEM: it learns from good images alone or with defects, and can be resumed and saved.
#include "core/random.h"
#include "detect/detector.h"
#include "detect/draem_loss.h"
#include "metrics/ranking.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kDraemDetectorSide = 32;

// Stripes with a little noise; with a defect, a box of another grey with its mask.
augment::Pool makeStripes(int64_t count, bool defects, uint64_t seed) {
  auto pool = std::make_shared<augment::PixelPool>();
  pool->height = pool->width = kDraemDetectorSide;
  Rng rng(makeGenerator(seed));
  const at::Tensor stripes =
      80 + 40 * at::sin(at::arange(kDraemDetectorSide, at::kFloat) * 0.8).view({1, kDraemDetectorSide, 1});
  for (int64_t i = 0; i < count; ++i) {
    at::Tensor image = (stripes + rng.uniform({kDraemDetectorSide, kDraemDetectorSide, 3}) * 20).to(at::kByte);
    at::Tensor mask = at::zeros({kDraemDetectorSide, kDraemDetectorSide}, at::kByte);
    if (defects) {
      const int64_t top = rng.below(kDraemDetectorSide - 10), left = rng.below(kDraemDetectorSide - 8);
      mask.narrow(0, top, 10).narrow(1, left, 8).fill_(255);
      image.narrow(0, top, 10).narrow(1, left, 8).fill_(220);
    }
    pool->masks.push_back(mask);
    pool->images.push_back(image);
  }
  return pool;
}

detect::Strata stratumOf(int64_t count) {
  return {std::vector<int64_t>(static_cast<size_t>(count)), std::vector<int64_t>(static_cast<size_t>(count))};
}

detect::DetectorSettings settings(const std::string& name, int64_t iterations, uint64_t seed) {
  detect::DetectorSettings settings;
  settings.name = name;
  settings.training.channels = 8;  // The vector width of AVX2: see device_test.cpp.
  settings.training.batchSize = 4;
  settings.training.iterations = iterations;
  settings.training.learningRate = 2e-3;
  settings.training.seed = seed;
  return settings;
}

std::unique_ptr<detect::Detector> makeDraem(const std::string& name, int64_t iterations, uint64_t seed = 4) {
  return detect::makeDetector(settings(name, iterations, seed), {makeStripes(6, false, 1), nullptr}, at::kCPU);
}

void makeSteps(detect::Detector& detector, int64_t count) {
  const Task task;
  for (int64_t i = 0; i < count; ++i) detector.step(task);
}

}  // namespace

// Five of 170 such short fits, with various kernels and threads, ended while their maps were wrong.
DAN_TEST(draem_finds_defects_that_it_was_never_shown_with_most_seeds) {
  const auto defects = makeStripes(4, true, 50), good = makeStripes(4, false, 51);
  std::vector<at::Tensor> images = defects->images, masks = defects->masks;
  images.insert(images.end(), good->images.begin(), good->images.end());
  masks.insert(masks.end(), good->masks.begin(), good->masks.end());
  int64_t found = 0;
  for (const uint64_t seed : {4, 5, 6}) {
    const auto detector = makeDraem("draem", 150, seed);
    makeSteps(*detector, 150);
    EXPECT(detector->position() == detector->steps());
    const detect::Scored scored = detector->score(at::stack(images), Task());
    const double ofDefects = scored.scores.narrow(0, 0, 4).mean().item<double>(),
                 ofGood = scored.scores.narrow(0, 4, 4).mean().item<double>();
    if (metrics::auroc(scored.maps, at::stack(masks) != 0) > 0.9 && ofDefects > ofGood) ++found;
  }
  EXPECT(found >= 2);
}

DAN_TEST(draem_resumes_and_is_saved_bit_for_bit) {
  const Scratch scratch;
  const std::string checkpoint = scratch.at("checkpoint.safetensors"), file = scratch.at("detector.safetensors");
  const at::Tensor images = at::stack(makeStripes(3, true, 9)->images);
  for (const std::string& name : std::vector<std::string>{"draem", "draem-sspcab"}) {
    const auto whole = makeDraem(name, 4), half = makeDraem(name, 4), resumed = makeDraem(name, 4);
    makeSteps(*whole, 4);
    makeSteps(*half, 2);
    half->saveCheckpoint(checkpoint, {});
    resumed->loadCheckpoint(checkpoint);
    makeSteps(*resumed, 2);
    const detect::Scored expected = whole->score(images, Task());
    EXPECT(at::equal(resumed->score(images, Task()).maps, expected.maps));
    EXPECT(!at::equal(half->score(images, Task()).maps, expected.maps));
    whole->save(file, {});
    const detect::Scored loaded = detect::loadDetector(file, at::kCPU)->score(images, Task());
    EXPECT(at::equal(loaded.maps, expected.maps) && at::equal(loaded.scores, expected.scores));
  }
  const auto plain = makeDraem("draem", 4);
  expectError([&] { plain->loadCheckpoint(checkpoint); }, "is not this network's checkpoint");
}

DAN_TEST(draem_does_not_reconstruct_below_a_real_defect) {
  const at::Tensor image = at::full({3, 4, 4}, 0.5), good = at::full({3, 4, 4}, 0.25);
  at::Tensor mask = at::zeros({4, 4}, at::kBool);
  mask[1][2] = true;
  at::Tensor drawn = at::full({2, 3, 4, 4}, 0.75).requires_grad_();
  const at::Tensor aim = detect::reconstructionAim({{{image, mask}, 0, good}, {{image, mask}, 0, {}}}, drawn);
  EXPECT(at::equal(aim[0], good));
  EXPECT(at::equal(aim[1], at::where(mask, at::full({}, 0.75), image)));
  at::mse_loss(drawn, aim).backward();
  EXPECT(at::equal(drawn.grad()[1].abs().amax(0) > 0, ~mask));
}

DAN_TEST(defect_sources_know_the_good_image_below_a_made_up_defect) {
  const auto good = makeStripes(1, false, 1), defects = makeStripes(2, true, 2);
  const at::Tensor before = augment::toPicture(good->images[0]);
  for (const std::string& kind : std::vector<std::string>{"draem", "crop-paste", "pairs"}) {
    const auto source = detect::makeDefectSource({kind, false}, good, defects, stratumOf(2));
    for (uint64_t i = 0; i < 10; ++i) {
      Rng rng(makeGenerator(3, i));
      const detect::Example example = source->draw(rng);
      EXPECT(example.good.defined() == (kind != "pairs"));
      if (example.good.defined()) EXPECT(at::equal(example.good, before));
    }
  }
}

DAN_TEST(draem_stops_when_it_is_told_and_refuses_an_empty_set) {
  const auto detector = makeDraem("draem", 2);
  Task task;
  task.cancel();
  expectError([&] { detector->step(task); }, "aborted");
  expectError([&] { detector->score(makeStripes(1, false, 1)->images[0].unsqueeze(0), task); }, "aborted");
  EXPECT(detector->position() == 0);
  expectError(
      [&] {
        detect::makeDetector(settings("draem", 2, 4), {makeStripes(0, false, 1), nullptr}, at::kCPU);
      },
      "no good images");
}

}  // namespace dan::tests
