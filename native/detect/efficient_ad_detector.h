// EfficientAD-S (arXiv 2303.14535): a student imitates a fast teacher on good images only, and an autoencoder sees
// what is wrong with the whole.
#pragma once

#include <memory>

#include "detect/efficient_ad_loss.h"
#include "detect/trained_detector.h"
#include "model/backbone.h"
#include "model/efficient_ad.h"

namespace dan::detect {

// The published teacher was distilled on ImageNet, from which the published loss also takes images that the student
// should not know. Both need ImageNet. Here the first half of the iterations distils the backbone into the teacher on
// crops of the good images, and the loss has no such images: the teacher knows less of what it was not shown.
class EfficientAdDetector : public TrainedDetector {
 public:
  // Pictures' sides must be multiples of 32 from 128 on. Sides of less than 256 are doubled for the networks. With a
  // width of 64 the networks are as published. Reads the backbone for the fit; the fitted detector does not need it.
  EfficientAdDetector(const DetectorSettings& settings, FitData data, at::Device device);
  EfficientAdDetector(const DetectorSettings& settings, const nn::Weights& weights);

  FitStep step(const Task& task) override;
  void loadCheckpoint(const std::string& path) override;

 protected:
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const override;
  // The rate falls to a tenth for the last twentieth of the iterations, as published.
  double learningRate(double done) const override;
  // The score of an image is the maximum of its map.
  Scored scoreBatch(const at::Tensor& images, const Task& task) const override;
  TensorMap weights() const override;

 private:
  void makeNets(const nn::Weights& weights, int64_t outputs);
  bool distils() const;
  // Images are (N, 3, H, W) in 0 .. 1.
  at::Tensor distillationLoss(const at::Tensor& images) const;
  at::Tensor studentLoss(const at::Tensor& images, Rng& rng) const;
  // Returns the backbone's features of the teacher's places, with the teacher's channels.
  at::Tensor target(const at::Tensor& images) const;
  // Returns the teacher's output, normalised for each channel. `images` are normalised.
  at::Tensor taught(const at::Tensor& images) const;
  PatchMaps maps(const at::Tensor& images) const;
  const at::Tensor& quantiles(const Task& task) const;

  std::unique_ptr<model::Backbone> backbone_;  // null in a fitted detector that was loaded
  std::unique_ptr<model::PatchDescriptionNet> teacher_, student_;
  std::unique_ptr<model::PatchAutoencoder> autoencoder_;
  at::Tensor teacherMean_, teacherVariance_;  // (C), running statistics of the distillation
  mutable at::Tensor quantiles_;              // undefined until the networks of this step have scored good images
};

}  // namespace dan::detect
