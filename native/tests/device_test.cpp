// These tests train and sample on devices other than the CPU: a stand-in, and the GPU if there is one. No tensor may
// stay behind on the host, and the results must be those of the CPU.
#include "core/device.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/accelerator.h"
#include "core/random.h"
#include "detect/classifier.h"
#include "detect/detector.h"
#include "dual/dual_unet.h"
#include "dual/folded_adapter.h"
#include "mask/part_masker.h"
#include "model/base_model.h"
#include "sample/pair_batch.h"
#include "tests/stand_in_device.h"
#include "tests/test.h"
#include "train/pair_trainer.h"

namespace dan::tests {

namespace {

constexpr int64_t kDeviceSide = 64;

at::Tensor bytes(at::IntArrayRef shape, uint64_t seed) {
  return at::randint(256, shape, makeGenerator(seed), at::kByte);
}

struct Made {
  std::vector<double> losses;
  TensorMap adapter;
  std::vector<sample::SampledPair> pairs;
};

// Another device may take another algorithm for the same sums: within a level of 256 on average.
void expectNearBytes(const at::Tensor& actual, const at::Tensor& expected) {
  EXPECT(actual.is_cpu() && actual.sizes() == expected.sizes());
  EXPECT((actual.to(at::kFloat) - expected.to(at::kFloat)).abs().mean().item<double>() < 1);
}

// Two steps of training, then two pairs from noise.
Made trainAndSample(at::Device device, dual::BackgroundMode mode) {
  const auto base = model::loadBaseModel(fixture("tiny-sd"), device, at::kFloat);
  const at::Tensor images = bytes({2, kDeviceSide, kDeviceSide, 3}, 1),
                   mask = at::zeros({kDeviceSide, kDeviceSide}, at::kByte);
  mask.slice(0, 4, 12).slice(1, 8, 20).fill_(255);
  const at::Tensor foreground = mask.flip(0);
  train::TrainingRegions data;
  data.resolution = kDeviceSide;
  for (const at::Tensor& image : images.unbind()) {
    data.regions.push_back({image, mask, mode == dual::BackgroundMode::kOff ? at::Tensor() : foreground});
  }
  train::TrainOptions options;
  options.rank = 2;
  options.batchSize = 2;
  options.learningRate = 1e-3;
  options.background = mode;
  options.defectLossShare = 0.2;
  train::PairTrainer trainer(*base, train::makeLatentSource(*base, std::move(data), Task()), options);
  Made made;
  for (int i = 0; i < 2; ++i) made.losses.push_back(trainer.step(Task()).loss);
  for (const auto& [name, tensor] : trainer.adapter().parameters()) made.adapter[name] = tensor.detach().cpu();

  const at::NoGradGuard noGrad;
  const dual::FoldedAdapter folded(*base->unet, trainer.adapter());
  const auto unet = dual::makeSamplingModel(*base->unet, folded);
  std::optional<sample::Backgrounds> backgrounds;
  if (mode != dual::BackgroundMode::kOff) {
    backgrounds.emplace(
        *base, sample::BackgroundPixels{bytes({2, kDeviceSide, kDeviceSide, 3}, 2), foreground.repeat({2, 1, 1})},
        sample::BackgroundOptions{1}, Task());
  }
  sample::SampleOptions sampling;
  sampling.steps = 2;
  sampling.scheduler = "ddim";
  sampling.width = sampling.height = kDeviceSide;
  sampling.startFromLatentMean = true;
  sampling.attention = true;
  sample::PairSource source{*base, trainer.adapter(), *unet, backgrounds ? &*backgrounds : nullptr};
  source.latentMeans = trainer.latents().latentMeans();
  made.pairs = sample::samplePairs(source, sampling, {0, 1}, Task());
  return made;
}

// The backward pass on a device has its own thread, which would get a second pool of threads for the host's work. If
// both pools exceed the number of cores, each waits for the system to wake it.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  const int before_ = at::get_num_threads();
};

void expectSameThere(at::Device device) {
  const OneThread oneThread;
  for (const auto mode : {dual::BackgroundMode::kOff, dual::BackgroundMode::kAdd}) {
    const Made there = trainAndSample(device, mode), here = trainAndSample(at::kCPU, mode);
    for (size_t i = 0; i < here.losses.size(); ++i) {
      EXPECT(std::abs(there.losses[i] - here.losses[i]) <= 1e-4 * here.losses[i]);
    }
    // We compare all parameters together, because AdamW makes a whole step of a gradient that is only rounding.
    double difference = 0, norm = 0;
    for (const auto& [name, tensor] : here.adapter) {
      difference += (there.adapter.at(name) - tensor).square().sum().item<double>();
      norm += tensor.square().sum().item<double>();
    }
    EXPECT(std::sqrt(difference / norm) < 1e-3);
    EXPECT(there.pairs.size() == here.pairs.size() && here.pairs.size() == 2);
    for (size_t i = 0; i < here.pairs.size(); ++i) {
      expectNearBytes(there.pairs[i].image, here.pairs[i].image);
      expectNearBytes(there.pairs[i].part, here.pairs[i].part);
      expectNearBytes(there.pairs[i].attention, here.pairs[i].attention);
    }
  }
}

std::vector<at::Device> devices() {
  std::vector<at::Device> all = {standInDevice()};
  if (cudaState().services != nullptr) all.push_back(parseDevice("cuda"));
  return all;
}

// Returns the losses of three steps and the prediction after them.
std::pair<std::vector<double>, at::Tensor> learn(bool classifies, at::Device device) {
  const auto defects = std::make_shared<augment::PixelPool>(), good = std::make_shared<augment::PixelPool>();
  defects->height = defects->width = good->height = good->width = kDeviceSide;
  defects->images = bytes({4, kDeviceSide, kDeviceSide, 3}, 4).unbind();
  defects->masks = (bytes({4, kDeviceSide, kDeviceSide}, 5) < 30).to(at::kByte).unbind();
  good->images = bytes({2, kDeviceSide, kDeviceSide, 3}, 6).unbind();
  detect::DetectorSettings settings;
  settings.name = "unet";
  // With fewer channels than a vector of AVX2 has, oneDNN's backward convolution writes behind its result
  // (torch 2.11.0).
  settings.training.channels = 8;
  settings.training.batchSize = 4;
  settings.training.iterations = 3;
  // Adam makes a whole step of a gradient that is only rounding.
  settings.training.learningRate = 1e-6;
  auto source = detect::makeDefectSource({"pairs"}, good, defects, {{0, 0, 0, 0}, {0, 0, 1, 1}});
  const at::Tensor images = at::stack(good->images);
  std::vector<double> losses;
  if (classifies) {
    detect::Classifier classifier(settings.training, std::move(source), 2, "", device);
    for (int i = 0; i < 3; ++i) losses.push_back(classifier.step(Task()).loss);
    return {losses, classifier.predict(images, Task())};
  }
  const auto detector = detect::makeDetector(settings, {good, std::move(source)}, device);
  for (int i = 0; i < 3; ++i) losses.push_back(detector->step(Task()).loss);
  return {losses, detector->score(images, Task()).maps};
}

void expectLearns(bool classifies, const std::string& what) {
  const OneThread oneThread;
  const auto [losses, predictions] = learn(classifies, at::kCPU);
  for (const at::Device device : devices()) {
    const auto [lossesThere, predictionsThere] = learn(classifies, device);
    for (size_t i = 0; i < losses.size(); ++i) EXPECT(std::abs(lossesThere[i] - losses[i]) <= 1e-3 * losses[i]);
    EXPECT(predictionsThere.is_cpu());
    expectClose(predictionsThere, predictions, 2e-3, 0, c10::str(what, " on ", device));
  }
}

}  // namespace

DAN_TEST(the_evaluations_networks_leave_nothing_on_the_host) {
  expectLearns(false, "the detector");
  expectLearns(true, "the classifier");
}

DAN_TEST(training_and_sampling_leave_nothing_on_the_host) {
  for (const at::Device device : devices()) expectSameThere(device);
}

DAN_TEST(the_stand_in_device_refuses_a_mix) {
  const at::Tensor there = at::ones({3}).to(standInDevice());
  expectError([&] { there + at::ones({3}); }, "same device");
  expectError([&] { at::matmul(there, at::ones({3, 3})); }, "is on the CPU, others on the device");
}

}  // namespace dan::tests
