// PatchCore scores by the equations of its paper, and its fit can be resumed, stopped and saved.
#include "detect/patchcore.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/random.h"
#include "model/imagenet.h"
#include "model/inverted_residual.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr const char* kPatchcoreBackbone = "mobilenet-v2";
constexpr int64_t kPatchcoreSide = 64, kBatch = 8;

void writeBackbone(const std::string& path) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(4));
  const model::InvertedResidualBackbone net(weights, model::mobilenetV2(weights));
  io::writeSafetensors(path, weights.taken());
}

std::shared_ptr<augment::PixelPool> pictures(int64_t count, uint64_t seed) {
  auto pool = std::make_shared<augment::PixelPool>();
  pool->height = pool->width = kPatchcoreSide;
  Rng rng(makeGenerator(seed));
  for (int64_t i = 0; i < count; ++i)
    pool->images.push_back((rng.uniform({kPatchcoreSide, kPatchcoreSide, 3}) * 100).to(at::kByte));
  return pool;
}

std::unique_ptr<detect::Detector> makePatchcore(const std::string& backbone, augment::Pool good, uint64_t seed = 5) {
  detect::DetectorSettings settings;
  settings.name = "patchcore";
  settings.backbone = kPatchcoreBackbone;
  settings.backboneFile = backbone;
  settings.training.batchSize = kBatch;
  settings.training.seed = seed;
  return detect::makeDetector(settings, {std::move(good), nullptr}, at::kCPU);
}

void fit(detect::Detector& detector, int64_t until) {
  const Task task;
  while (detector.position() < until) EXPECT(std::isnan(detector.step(task).loss));
}

void expectSameScores(const detect::Scored& actual, const detect::Scored& expected) {
  EXPECT(at::equal(actual.maps, expected.maps) && at::equal(actual.scores, expected.scores));
}

double distanceOf(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).norm().item<double>();
}

}  // namespace

DAN_TEST(patch_features_are_averages_of_two_stages) {
  const Scratch scratch;
  writeBackbone(scratch.at("backbone.safetensors"));
  const auto backbone = model::readBackbone(kPatchcoreBackbone, scratch.at("backbone.safetensors"), at::kCPU);
  const at::Tensor images = randn({2, 3, kPatchcoreSide, kPatchcoreSide}, makeGenerator(2));
  const auto stages = backbone->features(images);
  const at::Tensor features = detect::patchFeatures(*backbone, images);
  EXPECT(features.sizes() == at::IntArrayRef({2, detect::patchChannels(*backbone), 8, 8}));
  // A place inside is the mean of nine. At a corner five of the nine lie outside and count as zero.
  const at::Tensor fine = stages[1], coarse = stages[2];
  expectClose(features[1].select(1, 3).select(1, 4).narrow(0, 0, 32),
              fine[1].narrow(1, 2, 3).narrow(2, 3, 3).mean({1, 2}), 1e-6, 1e-5, "inside");
  expectClose(features[0].select(1, 0).select(1, 7).narrow(0, 0, 32),
              fine[0].narrow(1, 0, 2).narrow(2, 6, 2).sum({1, 2}) / 9, 1e-6, 1e-5, "at the corner");
  // The corner of the coarse stage is the nearest to the corner of the fine one, and no other is as near.
  expectClose(features[0].select(1, 0).select(1, 0).narrow(0, 32, 96),
              coarse[0].narrow(1, 0, 2).narrow(2, 0, 2).sum({1, 2}) / 9, 1e-6, 1e-5, "of the coarse stage");
}

DAN_TEST(patchcore_finds_the_nearest_and_weights_the_score) {
  const at::Generator generator = makeGenerator(3);
  // The distances are about one, so that the weight differs from one.
  const at::Tensor bank = 0.3 * randn({40, 6}, generator), features = 0.3 * randn({25, 6}, generator);
  const detect::MemoryBank memory(bank);
  const Task task;
  const auto nearest = memory.nearest(features, task);
  int64_t worst = 0;
  for (int64_t i = 0; i < features.size(0); ++i) {
    int64_t index = 0;
    for (int64_t j = 1; j < bank.size(0); ++j) {
      if (distanceOf(features[i], bank[j]) < distanceOf(features[i], bank[index])) index = j;
    }
    EXPECT(nearest.indices[i].item<int64_t>() == index);
    EXPECT(std::abs(nearest.distances[i].item<double>() - distanceOf(features[i], bank[index])) < 1e-6);
    if (nearest.distances[i].item<double>() > nearest.distances[worst].item<double>()) worst = i;
  }
  // Equation 7 sums over the nine patches of the bank that are nearest to the nearest one.
  const int64_t center = nearest.indices[worst].item<int64_t>();
  std::vector<std::pair<double, int64_t>> around;
  for (int64_t j = 0; j < bank.size(0); ++j) around.emplace_back(distanceOf(bank[j], bank[center]), j);
  std::sort(around.begin(), around.end());
  double sum = 0;
  for (size_t k = 0; k < 9; ++k) sum += std::exp(distanceOf(features[worst], bank[around[k].second]));
  const double distance = distanceOf(features[worst], bank[center]);
  const double expected = (1 - std::exp(distance) / sum) * distance;
  EXPECT(std::abs(memory.imageScore(features, nearest).item<double>() - expected) < 1e-5 * expected);
  EXPECT(expected < 0.95 * distance);
}

DAN_TEST(patchcore_scores_by_the_distance_alone_if_the_bank_has_one_patch) {
  const detect::MemoryBank memory(at::zeros({1, 4}));
  const Task task;
  const at::Tensor features = at::ones({3, 4});
  EXPECT(memory.imageScore(features, memory.nearest(features, task)).item<double>() == 2);
}

DAN_TEST(patchcore_knows_its_good_images_and_finds_a_defect) {
  const Scratch scratch;
  const std::string backbone = scratch.at("backbone.safetensors"), saved = scratch.at("detector.safetensors");
  writeBackbone(backbone);
  const auto good = pictures(4, 1);
  const auto detector = makePatchcore(backbone, good);
  const Task task;
  at::Tensor images = at::stack(good->images).narrow(0, 0, 2).clone();
  expectError([&] { detector->score(images, task); }, "once its fit has ended, but 0 of");
  fit(*detector, detector->steps());
  // 256 patches are fewer than the smallest bank, so the bank holds them all.
  images[1].narrow(0, 16, 24).narrow(1, 32, 24).fill_(230);
  const detect::Scored scored = detector->score(images, task);
  EXPECT(scored.maps.sizes() == at::IntArrayRef({2, kPatchcoreSide, kPatchcoreSide}));
  EXPECT(scored.maps[0].max().item<double>() < 1e-4 * scored.maps[1].max().item<double>());
  EXPECT(scored.scores[0].item<double>() < 1e-4 * scored.scores[1].item<double>());
  const int64_t highest = scored.maps[1].argmax().item<int64_t>();
  EXPECT(highest / kPatchcoreSide >= 12 && highest / kPatchcoreSide < 44 && highest % kPatchcoreSide >= 28 &&
         highest % kPatchcoreSide < 60);
  detector->save(saved, {});
  expectSameScores(detect::loadDetector(saved, at::kCPU)->score(images, task), scored);
}

DAN_TEST(patchcore_resumes_bit_for_bit_and_ends_within_a_step) {
  const Scratch scratch;
  const std::string backbone = scratch.at("backbone.safetensors"), path = scratch.at("checkpoint.safetensors");
  writeBackbone(backbone);
  const auto good = pictures(36, 1);  // 2304 patches, of which the bank gets 2000
  const auto whole = makePatchcore(backbone, good), other = makePatchcore(backbone, good, 6);
  EXPECT(whole->steps() == 5 + 16);
  fit(*whole, whole->steps());
  fit(*other, other->steps());
  const Task task;
  Task cancelled;
  cancelled.cancel();
  const at::Tensor images = at::stack(pictures(2, 9)->images);
  const detect::Scored expected = whole->score(images, task);
  EXPECT(!at::equal(other->score(images, task).maps, expected.maps));
  const auto going = makePatchcore(backbone, good);
  for (const int64_t position : {int64_t{2}, int64_t{5}, int64_t{9}, going->steps()}) {
    fit(*going, position);
    going->saveCheckpoint(path, {});
    const auto resumed = makePatchcore(backbone, good);
    resumed->loadCheckpoint(path);
    EXPECT(resumed->position() == position);
    if (position < resumed->steps()) expectError([&] { resumed->step(cancelled); }, "aborted");
    EXPECT(resumed->position() == position);
    fit(*resumed, resumed->steps());
    expectSameScores(resumed->score(images, task), expected);
    expectError([&] { makePatchcore(backbone, pictures(3, 1))->loadCheckpoint(path); }, path);
  }
  expectError([&] { whole->score(images, cancelled); }, "aborted");
}

DAN_TEST(patchcore_refuses_files_whose_bank_does_not_fit) {
  const Scratch scratch;
  const std::string backbone = scratch.at("backbone.safetensors"), path = scratch.at("detector.safetensors");
  writeBackbone(backbone);
  const auto detector = makePatchcore(backbone, pictures(2, 1));
  fit(*detector, detector->steps());
  detector->save(path, {});
  const io::SafetensorsFile saved = io::readSafetensors(path);
  for (const at::Tensor& bank : {at::ones({4, 127}), at::ones({0, 128}), at::ones({128}), at::ones({})}) {
    TensorMap tensors = saved.tensors;
    tensors["bank"] = bank;
    io::writeSafetensors(path, tensors, saved.metadata);
    expectError([&] { detect::loadDetector(path, at::kCPU); }, path + ": expected shape");
  }
  TensorMap tensors = saved.tensors;
  tensors.erase("bank");
  io::writeSafetensors(path, tensors, saved.metadata);
  expectError([&] { detect::loadDetector(path, at::kCPU); }, path + " lacks the tensor bank");
}

DAN_TEST(patchcore_fits_one_image_of_one_colour) {
  const Scratch scratch;
  const std::string backbone = scratch.at("backbone.safetensors");
  writeBackbone(backbone);
  auto blank = std::make_shared<augment::PixelPool>(*pictures(1, 1));
  blank->images[0].fill_(90);
  const auto detector = makePatchcore(backbone, blank);
  fit(*detector, detector->steps());
  const Task task;
  EXPECT(detector->score(blank->images[0].unsqueeze(0), task).scores.item<double>() < 1e-4);
  EXPECT(detector->score(pictures(1, 2)->images[0].unsqueeze(0), task).scores.item<double>() > 1e-3);
}

}  // namespace dan::tests
