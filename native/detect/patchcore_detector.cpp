#include "detect/patchcore_detector.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/finite.h"
#include "core/random.h"
#include "detect/saved_backbone.h"
#include "model/imagenet.h"
#include "train/checkpoint.h"

namespace dan::detect {

namespace {

constexpr double kShare = 0.01;
constexpr int64_t kSmallestBank = 2000, kChosenPerStep = 128;
// Distances between patches for the choice are taken in this many random directions, as published.
constexpr int64_t kDirections = 128;
constexpr uint64_t kDirectionsStream = 1;

int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

std::vector<int64_t> numbers(const at::Tensor& tensor) {
  return {tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel()};
}

}  // namespace

PatchcoreDetector::PatchcoreDetector(const DetectorSettings& settings, FitData data, at::Device device)
    : Detector(settings, device),
      backbone_(model::readBackbone(settings.backbone, settings.backboneFile, device)),
      good_(std::move(data.good)) {
  const at::NoGradGuard noGrad;
  const at::Tensor image = at::zeros({1, 3, good_->height, good_->width}, at::TensorOptions(device).dtype(at::kFloat));
  const at::Tensor features = patchFeatures(*backbone_, image);
  patchesPerImage_ = features.size(2) * features.size(3);
  const int64_t count = good_->size() * patchesPerImage_;
  patches_ = at::empty({count, features.size(1)}, features.options());
  const auto share = static_cast<int64_t>(std::ceil(kShare * static_cast<double>(count)));
  bankSize_ = std::min(count, std::max(share, kSmallestBank));
  embeddingSteps_ = divideUp(good_->size(), settings.training.batchSize);
  choosingSteps_ = divideUp(bankSize_, kChosenPerStep);
}

PatchcoreDetector::PatchcoreDetector(const DetectorSettings& settings, const nn::Weights& weights)
    : Detector(settings, weights.device()), backbone_(takeBackbone(settings.backbone, weights)) {
  const at::IntArrayRef shape = weights.shapeOf("bank");
  const int64_t count = shape.empty() ? 1 : std::max<int64_t>(shape[0], 1);
  bank_ = std::make_unique<MemoryBank>(weights.take("bank", {count, patchChannels(*backbone_)}));
}

FitStep PatchcoreDetector::step(const Task& task) {
  const at::NoGradGuard noGrad;
  task.checkCancelled();
  if (position_ < embeddingSteps_) {
    embedBatch();
  } else {
    choosePatches(task);
  }
  if (position_ + 1 == steps()) finish();
  return {++position_, std::numeric_limits<double>::quiet_NaN()};
}

void PatchcoreDetector::embedBatch() {
  const int64_t from = position_ * settings().training.batchSize,
                to = std::min(from + settings().training.batchSize, good_->size());
  std::vector<at::Tensor> images;
  for (int64_t i = from; i < to; ++i) images.push_back(augment::toPicture(good_->images[static_cast<size_t>(i)]));
  const at::Tensor features = patchFeatures(*backbone_, model::normalizeForImagenet(at::stack(images).to(device())));
  expectFinite(features, "The backbone " + settings().backbone);
  patches_.narrow(0, from * patchesPerImage_, (to - from) * patchesPerImage_)
      .copy_(features.permute({0, 2, 3, 1}).reshape({-1, features.size(1)}));
}

GreedyCoreset PatchcoreDetector::startCoreset(const std::vector<int64_t>& chosen) const {
  const uint64_t seed = settings().training.seed;
  at::Tensor points = patches_;
  if (patches_.size(1) > kDirections) {
    const at::Tensor directions = randn({patches_.size(1), kDirections}, makeGenerator(seed, kDirectionsStream));
    points = patches_.matmul(directions.to(patches_.device()) / std::sqrt(static_cast<double>(kDirections)));
  }
  if (!chosen.empty()) return {points, chosen};
  return {points, Rng(makeGenerator(seed)).below(points.size(0))};
}

void PatchcoreDetector::choosePatches(const Task& task) {
  if (!coreset_) coreset_ = std::make_unique<GreedyCoreset>(startCoreset({}));
  coreset_->growTo(std::min((position_ - embeddingSteps_ + 1) * kChosenPerStep, bankSize_), task);
}

void PatchcoreDetector::finish() {
  const at::Tensor chosen = at::tensor(coreset_->chosen(), patches_.options().dtype(at::kLong));
  bank_ = std::make_unique<MemoryBank>(patches_.index_select(0, chosen));
  coreset_.reset();
  patches_.reset();
}

void PatchcoreDetector::saveCheckpoint(const std::string& path, const io::Metadata& metadata) const {
  TensorMap tensors = {{"position", at::full({1}, position_, at::kLong)}};
  if (bank_) {
    tensors["bank"] = bank_->patches();
  } else {
    const int64_t images = std::min(position_ * settings().training.batchSize, good_->size());
    tensors["patches"] = patches_.narrow(0, 0, images * patchesPerImage_);
    if (coreset_) tensors["chosen"] = at::tensor(coreset_->chosen(), at::kLong);
  }
  io::writeSafetensors(path, tensors, metadata);
}

void PatchcoreDetector::loadCheckpoint(const std::string& path) {
  const at::NoGradGuard noGrad;
  const io::SafetensorsFile file = io::readSafetensors(path);
  train::expectFiniteTensors(file.tensors, path);
  const int64_t position = train::takeCount(file.tensors, "position", steps(), path);
  const int64_t channels = patchChannels(*backbone_);
  // `count` is the number of rows. If it is negative, every number from 1 to -count fits.
  const auto take = [&](const std::string& name, int64_t count, bool isMatrix) {
    const auto found = file.tensors.find(name);
    const at::Tensor tensor = found == file.tensors.end() ? at::Tensor() : found->second;
    const bool fits = tensor.defined() && tensor.dim() == (isMatrix ? 2 : 1) &&
                      tensor.scalar_type() == (isMatrix ? at::kFloat : at::kLong) &&
                      (!isMatrix || tensor.size(1) == channels) &&
                      (count < 0 ? tensor.size(0) >= 1 && tensor.size(0) <= -count : tensor.size(0) == count);
    if (!fits) {
      fail(kCheckpointMismatch, path, " is not a checkpoint of this fit: ", name, " is missing or has another shape");
    }
    return tensor;
  };
  if (position == steps()) {
    bank_ = std::make_unique<MemoryBank>(take("bank", -bankSize_, true).to(device()));
    coreset_.reset();
    patches_.reset();
    position_ = position;
    return;
  }
  const int64_t images = std::min(position * settings().training.batchSize, good_->size());
  const at::Tensor patches = take("patches", images * patchesPerImage_, true);
  std::vector<int64_t> chosen;
  if (position > embeddingSteps_) {
    chosen = numbers(take("chosen", -std::min((position - embeddingSteps_) * kChosenPerStep, bankSize_), false));
    for (const int64_t index : chosen) {
      if (index < 0 || index >= patches_.size(0)) {
        fail(kWeightsInvalid, path, ": chosen holds ", index, ", and there are ", patches_.size(0), " patches");
      }
    }
  }
  patches_.narrow(0, 0, patches.size(0)).copy_(patches);
  coreset_ = chosen.empty() ? nullptr : std::make_unique<GreedyCoreset>(startCoreset(chosen));
  position_ = position;
}

Scored PatchcoreDetector::scoreBatch(const at::Tensor& images, const Task& task) const {
  if (!bank_) {
    fail(kInvalidOption, "PatchCore scores images once its fit has ended, but ", position_, " of ", steps(),
         " steps are done");
  }
  return patchcoreScores(*backbone_, *bank_, model::normalizeForImagenet(images), task);
}

TensorMap PatchcoreDetector::weights() const { return withBackbone({{"bank", bank_->patches()}}, *backbone_); }

}  // namespace dan::detect
