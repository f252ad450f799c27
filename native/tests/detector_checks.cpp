#include "tests/detector_checks.h"

#include "core/random.h"
#include "model/resnet.h"
#include "nn/weights.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

void expectSameScored(const detect::Scored& actual, const detect::Scored& expected) {
  EXPECT(at::equal(actual.maps, expected.maps) && at::equal(actual.scores, expected.scores));
}

}  // namespace

std::shared_ptr<augment::PixelPool> noisePool(int64_t count, int64_t side, bool defects, uint64_t seed) {
  auto pool = std::make_shared<augment::PixelPool>();
  pool->height = pool->width = side;
  Rng rng(makeGenerator(seed));
  const int64_t box = side / 4;
  for (int64_t i = 0; i < count; ++i) {
    at::Tensor image = (rng.uniform({side, side, 3}) * 100).to(at::kByte);
    if (defects) {
      const int64_t top = rng.below(side - box), left = rng.below(side - box);
      at::Tensor mask = at::zeros({side, side}, at::kByte);
      mask.narrow(0, top, box).narrow(1, left, box).fill_(255);
      image.narrow(0, top, box).narrow(1, left, box).fill_(230);
      pool->masks.push_back(mask);
    }
    pool->images.push_back(image);
  }
  return pool;
}

detect::FitData fitData(int64_t side, bool defects) {
  constexpr int64_t kCount = 6;
  const auto good = noisePool(kCount, side, false, 1);
  if (!defects) return {good, nullptr};
  const std::vector<int64_t> zeros(kCount);
  return {good, detect::makeDefectSource({}, good, noisePool(kCount, side, true, 2), {zeros, zeros})};
}

detect::DetectorSettings shortFit(const std::string& name, const std::string& backbone, uint64_t seed,
                                  int64_t channels) {
  detect::DetectorSettings settings;
  settings.name = name;
  settings.backbone = backbone;
  settings.training.channels = channels;
  settings.training.batchSize = 4;
  settings.training.iterations = 200;
  settings.training.learningRate = 1e-3;
  settings.training.seed = seed;
  return settings;
}

void writeRandomResNet18(const std::string& path) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(4));
  const model::ResNet net(weights, model::ResNetConfig::resnet18());
  io::writeSafetensors(path, weights.taken(), {});
}

void expectResumable(const MakeDetector& make, int64_t steps, const at::Tensor& images) {
  const Task task;
  const Scratch scratch;
  const std::string path = scratch.at("checkpoint.safetensors");
  const auto fit = [&](detect::Detector& detector, int64_t count) {
    for (int64_t i = 0; i < count; ++i) detector.step(task);
  };
  const auto whole = make(5), half = make(5), other = make(6), resumed = make(5);
  fit(*whole, steps);
  fit(*other, steps);
  fit(*half, steps / 2);
  half->saveCheckpoint(path, {});
  resumed->loadCheckpoint(path);
  EXPECT(resumed->position() == steps / 2);
  Task cancelled;
  cancelled.cancel();
  expectError([&] { resumed->step(cancelled); }, "aborted");
  EXPECT(resumed->position() == steps / 2);
  fit(*resumed, steps - steps / 2);
  const detect::Scored expected = whole->score(images, task);
  expectSameScored(resumed->score(images, task), expected);
  EXPECT(!at::equal(other->score(images, task).maps, expected.maps));
}

void expectSavable(const detect::Detector& detector, const at::Tensor& images) {
  const Task task;
  const Scratch scratch;
  const std::string path = scratch.at("detector.safetensors"), again = scratch.at("again.safetensors");
  detector.save(path, {});
  const auto loaded = detect::loadDetector(path, at::kCPU);
  const detect::Scored expected = detector.score(images, task);
  expectSameScored(loaded->score(images, task), expected);
  loaded->save(again, {});
  expectSameScored(detect::loadDetector(again, at::kCPU)->score(images, task), expected);
}

}  // namespace dan::tests
