// Training on windows, of several types, with backgrounds, on both kinds of bases: a seed decides the run, and a
// resumed run goes on as if it had never ended.
#include <cmath>

#include "core/random.h"
#include "io/safetensors.h"
#include "tests/inpainting_base.h"
#include "tests/stand_in_device.h"
#include "tests/test.h"
#include "train/pair_trainer.h"

namespace dan::tests {

namespace {

constexpr int64_t kWindowTrainingSide = 32;

train::TrainingRegions regionsOfThreeTypes() {
  train::TrainingRegions data;
  data.resolution = kWindowTrainingSide;
  for (int64_t i = 0; i < 5; ++i) {
    const int64_t height = kWindowTrainingSide + 9 * i, width = kWindowTrainingSide + 20 - 5 * i;
    const at::Tensor mask = at::zeros({height, width}, at::kByte), foreground = at::zeros_like(mask);
    if (i < 4) mask.slice(0, 3, 12).slice(1, 5, 5 + 4 * (i + 1)).fill_(1);  // The last region is good.
    foreground.slice(0, 2, 20).fill_(1);
    const at::Tensor image = at::randint(256, {height, width, 3}, makeGenerator(static_cast<uint64_t>(i)), at::kByte);
    data.regions.push_back({image, mask, foreground, i / 2, std::array<int64_t, 2>{7, 7}});
  }
  return data;
}

train::TrainOptions optionsOfThreeTypes() {
  train::TrainOptions options;
  options.rank = 2;
  options.batchSize = 4;
  options.learningRate = 1e-3;
  options.defectLossShare = 0.2;
  options.background = dual::BackgroundMode::kAdd;
  options.globalPrompts = {"a crack", "a stain", "a good one"};
  options.anomalyPrompts = {"crack", "stain", "nothing"};
  options.seed = 6;
  return options;
}

std::unique_ptr<train::PairTrainer> makeTrainer(const model::BaseModel& base, const train::TrainOptions& options) {
  return std::make_unique<train::PairTrainer>(base, train::makeLatentSource(base, regionsOfThreeTypes(), Task()),
                                              options);
}

std::vector<double> lossesOf(train::PairTrainer& trainer, int count) {
  std::vector<double> losses;
  for (int i = 0; i < count; ++i) losses.push_back(trainer.step(Task()).loss);
  return losses;
}

TensorMap stateOf(const train::PairTrainer& trainer, const std::string& path) {
  trainer.saveCheckpoint(path, {});
  return io::readSafetensors(path).tensors;
}

void expectSameTensors(const TensorMap& actual, const TensorMap& expected) {
  EXPECT(actual.size() == expected.size());
  for (const auto& [name, tensor] : expected) {
    if (!actual.at(name).equal(tensor)) failTest(name + " differs");
  }
}

}  // namespace

DAN_TEST(training_on_windows_resumes_as_if_it_had_not_stopped) {
  const Scratch scratch;
  const std::string path = scratch.at("checkpoint.safetensors"), other = scratch.at("other.safetensors");
  const auto plain = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat), inpainting = inpaintingBase();
  for (const model::BaseModel* base : {plain.get(), inpainting.get()}) {
    const auto whole = makeTrainer(*base, optionsOfThreeTypes()), again = makeTrainer(*base, optionsOfThreeTypes()),
               resumed = makeTrainer(*base, optionsOfThreeTypes());
    const std::vector<double> losses = lossesOf(*whole, 3);
    for (const double loss : losses) EXPECT(std::isfinite(loss));
    EXPECT(lossesOf(*again, 2) == std::vector<double>(losses.begin(), losses.begin() + 2));
    Task cancelled;
    cancelled.cancel();
    expectError([&] { again->step(cancelled); }, "aborted");
    again->saveCheckpoint(path, {});
    resumed->loadCheckpoint(path);
    const TensorMap expected = stateOf(*whole, other);
    for (train::PairTrainer* trainer : {again.get(), resumed.get()}) {
      lossesOf(*trainer, 1);
      expectSameTensors(stateOf(*trainer, other), expected);
    }
    train::TrainOptions options = optionsOfThreeTypes();
    options.seed = 7;
    EXPECT(lossesOf(*makeTrainer(*base, options), 1)[0] != losses[0]);
    EXPECT(whole->firstBackground().sizes() ==
           at::IntArrayRef({1, 4, kWindowTrainingSide / 8, kWindowTrainingSide / 8}));
  }
}

DAN_TEST(training_on_windows_works_on_other_devices_and_in_half_precision) {
  const double expected = lossesOf(*makeTrainer(*inpaintingBase(), optionsOfThreeTypes()), 1)[0];
  const auto there = inpaintingBase(standInDevice());
  EXPECT(std::abs(lossesOf(*makeTrainer(*there, optionsOfThreeTypes()), 1)[0] - expected) <= 1e-4 * expected);
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const auto narrow = inpaintingBase(at::kCPU, dtype);
    EXPECT(std::abs(lossesOf(*makeTrainer(*narrow, optionsOfThreeTypes()), 1)[0] - expected) <= 0.05 * expected);
  }
}

DAN_TEST(every_type_is_trained_with_its_own_prompts) {
  const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  const auto firstLoss = [&](const std::function<void(train::TrainOptions&)>& change) {
    train::TrainOptions options = optionsOfThreeTypes();
    options.batchSize = 3;  // one of each type
    change(options);
    return lossesOf(*makeTrainer(*base, options), 1)[0];
  };
  const double loss = firstLoss([](auto&) {});
  for (size_t type = 0; type < 3; ++type) {
    EXPECT(firstLoss([&](auto& options) { options.globalPrompts[type] = "another"; }) != loss);
    EXPECT(firstLoss([&](auto& options) { options.anomalyPrompts[type] = "another"; }) != loss);
  }
  expectError([&] { firstLoss([](auto& options) { options.anomalyPrompts.pop_back(); }); }, "received 2 and 3");
  expectError([&] { firstLoss([](auto& options) { options.globalPrompts.pop_back(); }); }, "type below 2 for region 4");
}

DAN_TEST(a_trained_adapter_has_the_centred_windows_of_its_defects_as_examples) {
  const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  const auto trainer = makeTrainer(*base, optionsOfThreeTypes());
  const dual::AdapterFile adapter = trainer->trainedAdapter({});
  const train::TrainingRegions data = regionsOfThreeTypes();
  EXPECT(adapter.examples.size() == 4);  // The good region gives none.
  for (const dual::AdapterExample& example : adapter.examples) {
    const train::TrainingRegion& region = data.regions[static_cast<size_t>(example.region)];
    EXPECT(example.type == region.type &&
           example.image.sizes() == at::IntArrayRef({kWindowTrainingSide, kWindowTrainingSide, 3}));
    EXPECT(example.image.is_contiguous() && example.mask.is_contiguous());
    EXPECT((example.mask > 0).sum().item<int64_t>() == region.mask.sum().item<int64_t>());
    // The defects lie near the upper left corner, so the windows begin there.
    EXPECT(example.image.equal(region.image.slice(0, 0, kWindowTrainingSide).slice(1, 0, kWindowTrainingSide)));
  }
}

DAN_TEST(an_example_shows_the_defect_of_its_own_region) {
  const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  train::TrainingRegions data;
  data.resolution = kWindowTrainingSide;
  const at::Tensor image = at::randint(256, {64, 64, 3}, makeGenerator(1), at::kByte);
  const at::Tensor mask = at::zeros({64, 64}, at::kByte);
  mask.slice(0, 20, 24).slice(1, 20, 24).fill_(255);  // the region's own
  mask.slice(0, 60, 64).slice(1, 50, 64).fill_(255);  // another one
  data.regions.push_back({image, mask, {}, 0, std::array<int64_t, 2>{22, 22}});
  data.regions.push_back({image, mask, {}, 0, std::array<int64_t, 2>{16, 48}});  // Its window shows no defect.
  const auto examples = train::makeLatentSource(*base, data, Task())->examples();
  EXPECT(examples.size() == 1 && examples[0].region == 0);
  EXPECT(examples[0].image.equal(image.slice(0, 6, 38).slice(1, 6, 38)));
  EXPECT(examples[0].mask.equal(mask.slice(0, 6, 38).slice(1, 6, 38)));
}

DAN_TEST(of_many_regions_evenly_spaced_ones_become_examples) {
  const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  train::TrainingRegions data;
  data.resolution = 8;
  data.flips = false;
  const at::Tensor image = at::zeros({8, 8, 3}, at::kByte), mask = at::ones({8, 8}, at::kByte);
  for (int i = 0; i < 128; ++i) data.regions.push_back({image, mask, {}});
  const auto examples = train::makeLatentSource(*base, data, Task())->examples();
  EXPECT(examples.size() == 64 && examples[0].region == 0 && examples[1].region == 2 && examples[63].region == 126);
}

}  // namespace dan::tests
