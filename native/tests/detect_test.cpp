// These tests cover the evaluation: its networks train like the published code, its defect sources feed the detectors
// correctly, and the detectors learn.
#include <ATen/core/grad_mode.h>

#include "augment/perlin.h"
#include "core/random.h"
#include "detect/classifier.h"
#include "detect/detection_scores.h"
#include "detect/detector.h"
#include "detect/learner.h"
#include "metrics/generation.h"
#include "metrics/ranking.h"
#include "model/localization_net.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kDetectSide = 32;
constexpr const char* kWeights = "golden/localization-unet-weights.safetensors";

// Dim noise; with a defect, a bright box of one colour with its mask.
std::shared_ptr<augment::PixelPool> makePool(int64_t count, bool defects, uint64_t seed, int64_t level = 230) {
  auto pool = std::make_shared<augment::PixelPool>();
  pool->height = pool->width = kDetectSide;
  Rng rng(makeGenerator(seed));
  for (int64_t i = 0; i < count; ++i) {
    at::Tensor image = (rng.uniform({kDetectSide, kDetectSide, 3}) * 100).to(at::kByte);
    if (defects) {
      at::Tensor mask = at::zeros({kDetectSide, kDetectSide}, at::kByte);
      const int64_t top = rng.below(kDetectSide - 10), left = rng.below(kDetectSide - 8);
      mask.narrow(0, top, 10).narrow(1, left, 8).fill_(255);
      image.narrow(0, top, 10).narrow(1, left, 8).fill_(level);
      pool->masks.push_back(mask);
    }
    pool->images.push_back(image);
  }
  return pool;
}

detect::Strata oneStratum(int64_t count) {
  return {std::vector<int64_t>(static_cast<size_t>(count)), std::vector<int64_t>(static_cast<size_t>(count))};
}

std::unique_ptr<detect::Detector> makeUnet(uint64_t seed, int64_t iterations) {
  const auto good = makePool(6, false, 1), defects = makePool(6, true, 2);
  detect::DetectorSettings settings;
  settings.name = "unet";
  settings.training.channels = 8;  // The vector width of AVX2: see device_test.cpp.
  settings.training.batchSize = 4;
  settings.training.iterations = iterations;
  settings.training.learningRate = 2e-3;
  settings.training.seed = seed;
  return detect::makeDetector(settings, {good, detect::makeDefectSource({}, good, defects, oneStratum(6))}, at::kCPU);
}

at::Tensor stacked(const std::vector<at::Tensor>& images) { return at::stack(images); }

}  // namespace

// We compute in float64, so the remaining difference is the rounding of the published run.
DAN_TEST(localization_training_step_is_the_published_one) {
  const TensorMap& golden = fixtureTensors("golden/localization-unet.safetensors");
  TensorMap copies;
  for (const auto& [name, tensor] : fixtureTensors(kWeights)) {
    copies[name] = tensor.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
  }
  const nn::Weights weights = nn::Weights::fromTensors(copies, kWeights, at::kDouble);
  const model::LocalizationNet net(weights, 8);
  for (const auto& [name, tensor] : weights.taken()) {
    if (name.find("running_") == std::string::npos) at::Tensor(tensor).requires_grad_();
  }
  const at::Tensor out = net.forward(golden.at("train.input").to(at::kDouble), /*training=*/true);
  expectClose(out, golden.at("train.out"), 1e-4, 1e-4, "train.out");
  const at::Tensor loss = metrics::focalLoss(at::softmax(out, 1), golden.at("train.mask").squeeze(1).to(at::kLong));
  expectClose(loss.detach().view({1}), golden.at("train.loss"), 1e-5, 1e-5, "train.loss");
  loss.backward();
  int compared = 0;
  for (const auto& [name, expected] : golden) {
    if (name.rfind("train.grad.", 0) == 0) {
      expectClose(weights.taken().at(name.substr(11)).grad(), expected, 1e-4, 1e-3, name);
      ++compared;
    } else if (name.rfind("train.after.", 0) == 0) {
      expectClose(weights.taken().at(name.substr(12)), expected, 1e-5, 1e-4, name);
      ++compared;
    }
  }
  EXPECT(compared == 7);
}

DAN_TEST(detector_learns_to_find_what_it_is_shown) {
  const auto detector = makeUnet(3, 60);
  const Task task;
  double first = 0, last = 0;
  for (int i = 0; i < 60; ++i) {
    const double loss = detector->step(task).loss;
    if (i < 10) first += loss;
    if (i >= 50) last += loss;
  }
  EXPECT(last < 0.5 * first);
  const auto unseen = makePool(5, true, 77), good = makePool(5, false, 78);
  std::vector<at::Tensor> images = unseen->images, masks = unseen->masks;
  for (const at::Tensor& image : good->images) {
    images.push_back(image);
    masks.push_back(at::zeros({kDetectSide, kDetectSide}, at::kByte));
  }
  const at::Tensor maps = detector->score(stacked(images), task).maps;
  EXPECT(maps.sizes() == at::IntArrayRef({10, kDetectSide, kDetectSide}));
  detect::MapScorer scorer;
  for (size_t i = 0; i < masks.size(); ++i) scorer.add("all", maps[static_cast<int64_t>(i)], masks[i], {}, 0);
  const auto scores = scorer.score({"all"});
  EXPECT(scores.pixelAp > 0.9 && scores.pixelAuroc > 0.95 && scores.imageAp > 0.9 && scores.pixelAuPro > 0.8);
}

DAN_TEST(detector_resumes_bit_for_bit_and_follows_its_seed) {
  const Task task;
  const Scratch scratch;
  const std::string path = scratch.at("detector.safetensors");
  const auto whole = makeUnet(5, 10), half = makeUnet(5, 10), other = makeUnet(6, 10), resumed = makeUnet(5, 10);
  for (int i = 0; i < 6; ++i) {
    whole->step(task);
    other->step(task);
  }
  for (int i = 0; i < 3; ++i) half->step(task);
  half->saveCheckpoint(path, {});
  resumed->loadCheckpoint(path);
  EXPECT(resumed->position() == 3);
  for (int i = 0; i < 3; ++i) resumed->step(task);
  const at::Tensor images = stacked(makePool(3, true, 9)->images);
  const at::Tensor expected = whole->score(images, task).maps;
  EXPECT(at::equal(resumed->score(images, task).maps, expected));
  EXPECT(!at::equal(other->score(images, task).maps, expected));
}

namespace {

// This network of one number and one running statistic has a training that fails on request.
class BadLearner : public detect::Learner {
 public:
  enum class Fault { kNone, kLoss, kGradient, kThrow };
  Fault fault = Fault::kNone;

  explicit BadLearner(uint64_t seed) : Learner(options(seed)) {
    train({{{{"bias", at::ones({2})}}}, {{{"weight", at::ones({3})}, {"running_mean", at::zeros({3})}}}});
  }
  TensorMap checkpoint() const {
    const Scratch scratch;
    saveCheckpoint(scratch.at("checkpoint.safetensors"), {});
    TensorMap copies;
    for (const auto& [name, tensor] : io::readSafetensors(scratch.at("checkpoint.safetensors")).tensors) {
      copies[name] = tensor.clone();
    }
    return copies;
  }

 protected:
  detect::Example draw(Rng&) const override { return {}; }
  at::Tensor loss(const std::vector<detect::Example>&, Rng&) const override {
    tensors().at("running_mean").add_(1);  // A batch norm does this too.
    const at::Tensor& weight = tensors().at("weight");
    const at::Tensor other = tensors().at("bias").square().sum();
    if (fault == Fault::kLoss) return (weight / 0).sum();
    // The value is 0 and its slope is infinite.
    if (fault == Fault::kGradient) return at::sqrt(weight - 1).sum() + other;
    if (fault == Fault::kThrow) weight.view({2});
    return weight.square().sum() + other;
  }

 private:
  static detect::LearnerOptions options(uint64_t seed) {
    detect::LearnerOptions options;
    options.batchSize = 2;
    options.seed = seed;
    return options;
  }
};

}  // namespace

DAN_TEST(a_learner_whose_step_fails_is_as_it_was_before) {
  using Fault = BadLearner::Fault;
  const Task task;
  BadLearner learner(1);
  const std::pair<Fault, const char*> faults[] = {{Fault::kLoss, "The loss of step 1 is not finite"},
                                                  {Fault::kGradient, "gradient norm"},
                                                  {Fault::kThrow, "shape"}};
  const TensorMap before = learner.checkpoint();
  for (const auto& [fault, message] : faults) {
    learner.fault = fault;
    expectError([&, &learner = learner] { learner.step(task); }, message);
    for (const auto& [name, tensor] : learner.checkpoint()) EXPECT(tensor.equal(before.at(name)));
  }
  learner.fault = Fault::kNone;
  BadLearner whole(1);
  whole.step(task);
  learner.step(task);
  const TensorMap expected = whole.checkpoint();
  for (const auto& [name, tensor] : learner.checkpoint()) EXPECT(tensor.equal(expected.at(name)));
  EXPECT(!expected.at("network/weight").equal(before.at("network/weight")));
}

// torchvision gives 11,689,512 parameters for a thousand classes.
DAN_TEST(resnet18_has_the_published_parameters) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(1));
  const model::ResNetClassifier net(weights, model::ResNetConfig::resnet18(), 1000);
  int64_t parameters = 0;
  for (const auto& [name, tensor] : weights.taken()) {
    if (!detect::isRunningStatistic(name)) parameters += tensor.numel();
  }
  EXPECT(parameters == 11689512);
  EXPECT(weights.taken().count("layer4.0.downsample.1.running_var") == 1);
  EXPECT(net.forward(at::zeros({2, 3, 40, 56})).sizes() == at::IntArrayRef({2, 1000}));
}

DAN_TEST(classifier_learns_the_types) {
  const auto makeTyped = [](int64_t count, uint64_t seed) {
    auto pool = makePool(count, true, seed, 230);
    const auto darker = makePool(count, true, seed + 1, 140);
    pool->images.insert(pool->images.end(), darker->images.begin(), darker->images.end());
    pool->masks.insert(pool->masks.end(), darker->masks.begin(), darker->masks.end());
    return pool;
  };
  const auto defects = makeTyped(6, 50);
  detect::Strata strata = oneStratum(12);
  std::fill(strata.types.begin() + 6, strata.types.end(), 1);
  detect::LearnerOptions options;
  options.channels = 8;
  options.batchSize = 6;
  options.iterations = 60;
  options.learningRate = 2e-3;
  const auto make = [&](const detect::SourceOptions& kind) {
    return detect::Classifier(options, detect::makeDefectSource(kind, defects, defects, strata), 2, "", at::kCPU);
  };
  detect::Classifier classifier = make({});
  const Task task;
  for (int i = 0; i < 60; ++i) classifier.step(task);
  const at::Tensor probabilities = classifier.predict(stacked(makeTyped(5, 80)->images), task);
  EXPECT(probabilities.sizes() == at::IntArrayRef({10, 2}));
  expectClose(probabilities.sum(1), at::ones({10}), 1e-6, 1e-6, "probabilities");
  const at::Tensor right = probabilities.argmax(1) == (at::arange(10) >= 5);
  EXPECT(right.sum().item<int64_t>() >= 9);
  expectError([&] { make({"draem", true}); }, "have no types");
}

DAN_TEST(classifier_starts_from_the_weights_of_a_file) {
  const Scratch scratch;
  const std::string path = scratch.at("backbone.safetensors"), saved = scratch.at("saved.safetensors");
  const nn::Weights backbone = nn::Weights::random(makeGenerator(60));
  const model::ResNetClassifier net(backbone, model::ResNetConfig::resnet18(8), 10);
  io::writeSafetensors(path, backbone.taken(), {});
  const auto defects = makePool(4, true, 61);
  detect::LearnerOptions options;
  options.channels = 8;
  const auto make = [&] {
    return detect::Classifier(options, detect::makeDefectSource({}, defects, defects, oneStratum(4)), 3, path,
                              at::kCPU);
  };
  const detect::Classifier classifier = make();
  classifier.saveCheckpoint(saved, {});
  const TensorMap tensors = io::readSafetensors(saved).tensors;
  EXPECT(at::equal(tensors.at("network/layer3.1.conv2.weight"), backbone.taken().at("layer3.1.conv2.weight")));
  EXPECT(tensors.at("network/fc.weight").sizes() == at::IntArrayRef({3, 64}));
  options.channels = 16;
  expectError(make, "bn1.bias");
}

DAN_TEST(pairs_give_groups_and_types_even_chances) {
  // Thirty images belong to group 1 in types 0 and 1, two to group 0.
  auto pool = makePool(32, true, 4);
  detect::Strata strata;
  for (int64_t i = 0; i < 32; ++i) {
    strata.groups.push_back(i < 2 ? 0 : 1);
    strata.types.push_back(i < 2 ? 0 : i < 30 ? 0 : 1);
    pool->images[static_cast<size_t>(i)].fill_(i < 2 ? 10 : i < 30 ? 20 : 30);
  }
  const auto source = detect::makeDefectSource({}, pool, pool, strata);
  std::map<int64_t, int> counts;
  constexpr int kDraws = 800;
  for (uint64_t i = 0; i < kDraws; ++i) {
    Rng rng(makeGenerator(11, i));
    counts[std::llround(source->draw(rng).image.max().item<double>() * 255)]++;
  }
  // The standard deviations are 14 of 400 and 12 of 200.
  EXPECT(std::abs(counts[10] - 400) < 70 && std::abs(counts[20] - 200) < 60 && std::abs(counts[30] - 200) < 60);
}

DAN_TEST(crop_paste_moves_whole_defects_onto_good_images) {
  const auto good = makePool(4, false, 20), defects = makePool(4, true, 21);
  const auto source = detect::makeDefectSource({"crop-paste", true}, good, defects, oneStratum(4));
  int moved = 0;
  for (uint64_t i = 0; i < 40; ++i) {
    Rng rng(makeGenerator(22, i));
    const detect::Example example = source->draw(rng);
    const at::Tensor bright = std::get<0>(example.image.min(0)) > 0.8;  // Only defects are bright.
    EXPECT(at::equal(bright, example.mask));
    const int64_t pixels = example.mask.sum().item<int64_t>();
    // The defect is 10 x 8 and scaled by 0.75 to 1.25.
    EXPECT(pixels >= 7 * 6 && pixels <= 12 * 10);
    moved += example.mask[0].any().item<bool>() || example.mask[kDetectSide - 1].any().item<bool>() ? 1 : 0;
  }
  EXPECT(moved > 0 && moved < 40);
}

DAN_TEST(draem_changes_what_its_mask_says_and_nothing_else) {
  // A single good image without flips makes the original pixels known.
  auto good = makePool(1, false, 30);
  const at::Tensor before = good->images[0].permute({2, 0, 1}).to(at::kFloat) / 255;
  const auto source = detect::makeDefectSource({"draem", false}, good, makePool(0, true, 0), {});
  int marked = 0;
  for (uint64_t i = 0; i < 30; ++i) {
    Rng rng(makeGenerator(31, i));
    const detect::Example example = source->draw(rng);
    const at::Tensor changed = (example.image - before).abs().amax(0) > 0;
    EXPECT(!(changed & ~example.mask).any().item<bool>());
    const double share = example.mask.to(at::kFloat).mean().item<double>();
    EXPECT(share < 0.7);
    if (share > 0) {
      ++marked;
      EXPECT((changed & example.mask).sum().item<double>() > 0.8 * example.mask.sum().item<double>());
    }
  }
  EXPECT(marked > 15);
}

DAN_TEST(perlin_noise_is_zero_on_its_grid_smooth_and_in_range) {
  Rng rng(makeGenerator(40));
  const at::Tensor noise = augment::perlinNoise(65, 65, 4, 4, 0.7, rng);
  EXPECT(noise.abs().max().item<double>() < 1.2 && noise.std().item<double>() > 0.1);
  EXPECT(std::abs(noise[32][32].item<double>()) < 1e-5);  // The middle is a corner of four cells.
  const at::Tensor slope = (noise.slice(1, 1) - noise.slice(1, 0, -1)).abs().max();
  EXPECT(slope.item<double>() < 0.3);
}

DAN_TEST(sources_say_what_is_missing) {
  const auto none = makePool(0, true, 0), some = makePool(2, true, 0);
  expectError([&] { detect::makeDefectSource({}, none, some, oneStratum(2)); }, "no good images");
  expectError([&] { detect::makeDefectSource({}, some, none, {}); }, "no images of defects");
  expectError([&] { detect::makeDefectSource({"mosaic", true}, some, some, oneStratum(2)); }, "but received mosaic");
}

}  // namespace dan::tests
