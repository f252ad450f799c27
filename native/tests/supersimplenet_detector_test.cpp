// These tests cover the detector SuperSimpleNet, with and without defects, on a small backbone with random weights.
#include <numeric>

#include "core/random.h"
#include "detect/detector.h"
#include "metrics/ranking.h"
#include "model/backbone.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kSupersimplenetDetectorSide = 64;
constexpr const char* kSuperSimpleBackbone = "mobilenet-v2";

// Grey noise; with a defect, a bright box with its mask.
augment::Pool makeGrey(int64_t count, bool defects, uint64_t seed) {
  auto pool = std::make_shared<augment::PixelPool>();
  pool->height = pool->width = kSupersimplenetDetectorSide;
  Rng rng(makeGenerator(seed));
  for (int64_t i = 0; i < count; ++i) {
    at::Tensor image =
        (80 + rng.uniform({kSupersimplenetDetectorSide, kSupersimplenetDetectorSide, 3}) * 60).to(at::kByte);
    at::Tensor mask = at::zeros({kSupersimplenetDetectorSide, kSupersimplenetDetectorSide}, at::kByte);
    if (defects) {
      const int64_t top = rng.below(kSupersimplenetDetectorSide - 24),
                    left = rng.below(kSupersimplenetDetectorSide - 20);
      mask.narrow(0, top, 24).narrow(1, left, 20).fill_(255);
      image.narrow(0, top, 24).narrow(1, left, 20).fill_(250);
    }
    pool->masks.push_back(mask);
    pool->images.push_back(image);
  }
  return pool;
}

std::string writeBackbone(const Scratch& scratch) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(1));
  model::makeBackbone(kSuperSimpleBackbone, weights);
  const std::string path = scratch.at("backbone.safetensors");
  io::writeSafetensors(path, weights.taken(), {});
  return path;
}

std::unique_ptr<detect::Detector> make(const std::string& backboneFile, bool withDefects, int64_t iterations) {
  detect::DetectorSettings settings;
  settings.name = "supersimplenet";
  settings.backbone = kSuperSimpleBackbone;
  settings.backboneFile = backboneFile;
  settings.training.channels = 8;
  settings.training.batchSize = 4;
  settings.training.iterations = iterations;
  settings.training.learningRate = 1e-3;
  const auto good = makeGrey(6, false, 2), defects = makeGrey(4, true, 3);
  const detect::Strata strata = {std::vector<int64_t>(4), std::vector<int64_t>(4)};
  auto source = withDefects ? detect::makeDefectSource({}, good, defects, strata) : nullptr;
  return detect::makeDetector(settings, {good, std::move(source)}, at::kCPU);
}

std::vector<double> lossesOfSteps(detect::Detector& detector, int64_t count) {
  std::vector<double> losses;
  for (int64_t i = 0; i < count; ++i) losses.push_back(detector.step(Task()).loss);
  return losses;
}

}  // namespace

DAN_TEST(supersimplenet_learns_from_defects) {
  const Scratch scratch;
  const auto detector = make(writeBackbone(scratch), /*withDefects=*/true, 40);
  lossesOfSteps(*detector, 40);
  const auto defects = makeGrey(4, true, 50), good = makeGrey(4, false, 51);
  std::vector<at::Tensor> images = defects->images;
  images.insert(images.end(), good->images.begin(), good->images.end());
  const detect::Scored scored = detector->score(at::stack(images), Task());
  EXPECT(scored.maps.sizes() == at::IntArrayRef({8, kSupersimplenetDetectorSide, kSupersimplenetDetectorSide}) &&
         scored.scores.sizes() == at::IntArrayRef({8}));
  std::vector<at::Tensor> masks = defects->masks;
  masks.insert(masks.end(), good->masks.begin(), good->masks.end());
  EXPECT(metrics::auroc(scored.maps, at::stack(masks) != 0) > 0.9);
  const double defective = scored.scores.narrow(0, 0, 4).min().item<double>();
  EXPECT(defective > scored.scores.narrow(0, 4, 4).max().item<double>());
}

DAN_TEST(supersimplenet_learns_from_its_own_noise) {
  const Scratch scratch;
  const std::string backbone = writeBackbone(scratch);
  const auto detector = make(backbone, /*withDefects=*/false, 40);
  const std::vector<double> losses = lossesOfSteps(*detector, 40);
  const auto sum = [&](int64_t from) {
    return std::accumulate(losses.begin() + from, losses.begin() + from + 10, 0.0);
  };
  EXPECT(sum(30) < 0.8 * sum(0));
}

DAN_TEST(supersimplenet_resumes_and_is_saved_bit_for_bit) {
  const Scratch scratch;
  const std::string backbone = writeBackbone(scratch);
  const std::string checkpoint = scratch.at("checkpoint.safetensors"), file = scratch.at("detector.safetensors");
  const at::Tensor images = at::stack(makeGrey(3, true, 9)->images);
  for (const bool withDefects : {false, true}) {
    const auto whole = make(backbone, withDefects, 4), half = make(backbone, withDefects, 4);
    const auto resumed = make(backbone, withDefects, 4);
    lossesOfSteps(*whole, 4);
    lossesOfSteps(*half, 2);
    half->saveCheckpoint(checkpoint, {});
    resumed->loadCheckpoint(checkpoint);
    lossesOfSteps(*resumed, 2);
    const detect::Scored expected = whole->score(images, Task());
    EXPECT(at::equal(resumed->score(images, Task()).maps, expected.maps));
    EXPECT(!at::equal(half->score(images, Task()).maps, expected.maps));
    whole->save(file, {});
    const detect::Scored loaded = detect::loadDetector(file, at::kCPU)->score(images, Task());
    EXPECT(at::equal(loaded.maps, expected.maps) && at::equal(loaded.scores, expected.scores));
  }
}

}  // namespace dan::tests
