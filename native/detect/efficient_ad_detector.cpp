#include "detect/efficient_ad_detector.h"

#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "core/random.h"
#include "detect/score_map.h"
#include "model/imagenet.h"

namespace dan::detect {

namespace {

constexpr double kDistilledShare = 0.5, kStudentDecayAfter = 0.95, kStudentDecay = 0.1, kStudentWeightDecay = 1e-5;
constexpr double kMinCrop = 0.5;                // the smallest share of a side
constexpr double kMomentum = 0.1, kEps = 1e-5;  // of the running statistics
constexpr int64_t kQuantileImages = 64;         // at most
constexpr int64_t kSmallestSide = model::PatchAutoencoder::kSmallestSide;
constexpr int64_t kOutputsPerWidth = 6;
constexpr size_t kTeacherFineStage = 1, kTeacherCoarseStage = 2;
constexpr const char *kQuantiles = "quantiles", *kTeacherMean = "teacher.running_mean";

at::Tensor randomlyCropped(const at::Tensor& image, Rng& rng) {
  const int64_t height = image.size(1), width = image.size(2);
  const double share = rng.uniform(kMinCrop, 1);
  const auto part = [&](int64_t side) { return static_cast<int64_t>(share * static_cast<double>(side)); };
  const int64_t top = rng.below(height - part(height) + 1), left = rng.below(width - part(width) + 1);
  const at::Tensor crop = image.narrow(1, top, part(height)).narrow(2, left, part(width));
  return at::upsample_bilinear2d(crop.unsqueeze(0), {height, width}, /*align_corners=*/false).squeeze(0);
}

at::Tensor resized(const at::Tensor& features, int64_t height, int64_t width) {
  return at::upsample_bilinear2d(features, {height, width}, /*align_corners=*/false);
}

// The autoencoder cannot see smaller images, so these are doubled.
int64_t shownSide(int64_t side) { return side < kSmallestSide ? 2 * side : side; }

at::Tensor shown(const at::Tensor& images) {
  const int64_t height = shownSide(images.size(2)), width = shownSide(images.size(3));
  return height == images.size(2) && width == images.size(3) ? images : resized(images, height, width);
}

}  // namespace

EfficientAdDetector::EfficientAdDetector(const DetectorSettings& settings, FitData data, at::Device device)
    : TrainedDetector(settings, std::move(data), device),
      backbone_(model::readBackbone(settings.backbone, settings.backboneFile, device)) {
  const int64_t height = this->data().good->height, width = this->data().good->width;
  for (const int64_t side : {height, width}) {
    if (side % 32 == 0 && side >= kSmallestSide / 2) continue;
    fail(kInvalidOption, "EfficientAD needs images or tiles whose sides are multiples of 32 from ", kSmallestSide / 2,
         " pixels on but received ", height, " x ", width);
  }
  const int64_t known = backbone_->channels()[kTeacherFineStage] + backbone_->channels()[kTeacherCoarseStage];
  const nn::Weights weights = nn::Weights::random(weightsGenerator(), at::kFloat, device);
  makeNets(weights, std::min(kOutputsPerWidth * options().channels, known));
  ParameterGroup group = {weights.taken()};
  group.adam.weightDecay = kStudentWeightDecay;
  train({group});
}

EfficientAdDetector::EfficientAdDetector(const DetectorSettings& settings, const nn::Weights& weights)
    : TrainedDetector(settings, weights) {
  const at::IntArrayRef statistic = weights.shapeOf(kTeacherMean);
  makeNets(weights, statistic.size() == 1 ? statistic[0] : 0);
  quantiles_ = weights.take(kQuantiles, {2, 2});
  keep(weights.taken());
}

void EfficientAdDetector::makeNets(const nn::Weights& weights, int64_t outputs) {
  const int64_t width = options().channels;
  teacher_ = std::make_unique<model::PatchDescriptionNet>(weights.scope("teacher"), width, outputs);
  student_ = std::make_unique<model::PatchDescriptionNet>(weights.scope("student"), width, 2 * outputs);
  autoencoder_ = std::make_unique<model::PatchAutoencoder>(weights.scope("ae"), width, outputs);
  teacherMean_ = weights.take(kTeacherMean, {outputs});
  teacherVariance_ = weights.take("teacher.running_var", {outputs});
}

bool EfficientAdDetector::distils() const {
  return static_cast<double>(position()) < kDistilledShare * static_cast<double>(options().iterations);
}

FitStep EfficientAdDetector::step(const Task& task) {
  quantiles_.reset();
  return TrainedDetector::step(task);
}

void EfficientAdDetector::loadCheckpoint(const std::string& path) {
  quantiles_.reset();
  TrainedDetector::loadCheckpoint(path);
}

Example EfficientAdDetector::draw(Rng& rng) const {
  Example example = drawGood(*data().good, options().flips, rng);
  if (distils()) example.image = randomlyCropped(example.image, rng);
  return example;
}

at::Tensor EfficientAdDetector::loss(const std::vector<Example>& examples, Rng& rng) const {
  std::vector<at::Tensor> images;
  for (const Example& example : examples) images.push_back(example.image);
  const at::Tensor batch = shown(at::stack(images).to(device()));
  return distils() ? distillationLoss(batch) : studentLoss(batch, rng);
}

at::Tensor EfficientAdDetector::target(const at::Tensor& images) const {
  constexpr int64_t kBorder = model::PatchDescriptionNet::kMissingBorder;
  const at::NoGradGuard noGrad;
  const int64_t height = images.size(2), width = images.size(3);
  // At twice the size the fine stage, whose stride is 8, has a place for each of the teacher's.
  const auto stages = backbone_->firstStages(model::normalizeForImagenet(resized(images, 2 * height, 2 * width)),
                                             kTeacherCoarseStage + 1);
  const at::Tensor fine = at::avg_pool2d(stages[kTeacherFineStage], 3, 1, 1);
  const at::Tensor coarse = at::avg_pool2d(stages[kTeacherCoarseStage], 3, 1, 1);
  const at::Tensor joined = at::cat({fine, resized(coarse, fine.size(2), fine.size(3))}, 1);
  const at::Tensor channelsLast = joined.permute({0, 2, 3, 1}).flatten(1, 2);
  const at::Tensor fewer = at::adaptive_avg_pool1d(channelsLast, {teacherMean_.size(0)});
  const at::Tensor features = fewer.unflatten(1, {fine.size(2), fine.size(3)}).permute({0, 3, 1, 2});
  constexpr int64_t kStride = model::PatchDescriptionNet::kStride;
  return resized(features.contiguous(), height / kStride, width / kStride)
      .slice(2, kBorder, -kBorder)
      .slice(3, kBorder, -kBorder);
}

at::Tensor EfficientAdDetector::distillationLoss(const at::Tensor& images) const {
  const auto normalized = [](const at::Tensor& x, const at::Tensor& mean, const at::Tensor& variance) {
    return at::batch_norm(x, {}, {}, mean, variance, /*training=*/true, kMomentum, kEps, /*cudnn_enabled=*/false);
  };
  const at::Tensor output = teacher_->forward(model::normalizeForImagenet(images));
  normalized(output.detach(), teacherMean_, teacherVariance_);  // updates the statistics
  return at::mse_loss(output, normalized(target(images), {}, {}));
}

at::Tensor EfficientAdDetector::taught(const at::Tensor& images) const {
  const at::NoGradGuard noGrad;
  return at::batch_norm(teacher_->forward(images), {}, {}, teacherMean_, teacherVariance_, /*training=*/false,
                        kMomentum, kEps, /*cudnn_enabled=*/false);
}

at::Tensor EfficientAdDetector::studentLoss(const at::Tensor& images, Rng& rng) const {
  const at::Tensor plain = model::normalizeForImagenet(images);
  const at::Tensor changed = model::normalizeForImagenet(withChangedColours(images, rng));
  return hardStudentLoss(taught(plain), student_->forward(plain)) +
         autoencoderLoss(taught(changed), student_->forward(changed), autoencoder_->forward(changed, &rng));
}

double EfficientAdDetector::learningRate(double done) const {
  return options().learningRate * (done >= kStudentDecayAfter ? kStudentDecay : 1);
}

PatchMaps EfficientAdDetector::maps(const at::Tensor& images) const {
  const at::NoGradGuard noGrad;
  const at::Tensor normalized = model::normalizeForImagenet(shown(images));
  return patchMaps(taught(normalized), student_->forward(normalized), autoencoder_->forward(normalized));
}

const at::Tensor& EfficientAdDetector::quantiles(const Task& task) const {
  if (quantiles_.defined()) return quantiles_;
  const augment::PixelPool& good = *data().good;
  const int64_t count = std::min(good.size(), kQuantileImages);
  std::vector<at::Tensor> teacher, autoencoder;
  for (int64_t i = 0; i < count; ++i) {
    task.checkCancelled();
    const at::Tensor image = augment::toPicture(good.images[static_cast<size_t>(i * good.size() / count)]);
    const PatchMaps one = maps(image.unsqueeze(0).to(device()));
    teacher.push_back(one.teacher);
    autoencoder.push_back(one.autoencoder);
  }
  quantiles_ = mapQuantiles({at::cat(teacher), at::cat(autoencoder)}).to(at::kFloat);
  return quantiles_;
}

Scored EfficientAdDetector::scoreBatch(const at::Tensor& images, const Task& task) const {
  const at::Tensor combined = combinedMap(maps(images), quantiles(task), images.size(2), images.size(3));
  return {combined, combined.amax({1, 2})};
}

TensorMap EfficientAdDetector::weights() const {
  TensorMap all = TrainedDetector::weights();
  all[kQuantiles] = quantiles(Task());
  return all;
}

}  // namespace dan::detect
