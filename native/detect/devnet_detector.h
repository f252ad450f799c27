// DevNet (arXiv 2108.00462) learns to give good images scores of a normal distribution's middle, and a few defects
// scores far above it.
#pragma once

#include <memory>
#include <vector>

#include "detect/trained_detector.h"
#include "model/devnet.h"

namespace dan::detect {

class DevnetDetector : public TrainedDetector {
 public:
  // All of the backbone is trained, so it must be a ResNet: it starts from its file, or from fresh weights if there is
  // none. The width of the settings is that of a ResNet-18 with fresh weights.
  DevnetDetector(const DetectorSettings& settings, FitData data, at::Device device);
  DevnetDetector(const DetectorSettings& settings, const nn::Weights& weights);

 protected:
  // Draws a good or a defective example with even chances.
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const override;
  // The rate falls to a tenth after each fifth of the iterations, as published.
  double learningRate(double done) const override;
  double maxGradNorm() const override;
  // The maps are the scores of the last stage's places, resized to the image; the published code finds defects by
  // gradients instead, which cost a backward pass. The score of an image is the mean of its highest places.
  Scored scoreBatch(const at::Tensor& images, const Task& task) const override;

 private:
  std::unique_ptr<model::DevNet> net_;
};

}  // namespace dan::detect
