// SuperSimpleNet (arXiv 2408.03143), in both published forms: on good images alone, and with defects.
#pragma once

#include <memory>
#include <vector>

#include "detect/trained_detector.h"
#include "model/backbone.h"
#include "model/supersimplenet.h"

namespace dan::detect {

class SuperSimpleNetDetector : public TrainedDetector {
 public:
  // The backbone stays as it is; its second and third stage are used. With a width of 64 the heads are as published.
  SuperSimpleNetDetector(const DetectorSettings& settings, FitData data, at::Device device);
  SuperSimpleNetDetector(const DetectorSettings& settings, const nn::Weights& weights);

 protected:
  // Draws a good or a defective example with even chances, or always a good one if there are no defects.
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const override;
  double learningRate(double done) const override;
  double maxGradNorm() const override;
  // Maps and scores are logits, because probabilities near 0 and 1 would lose digits.
  Scored scoreBatch(const at::Tensor& images, const Task& task) const override;
  TensorMap weights() const override;

 private:
  at::Tensor features(const at::Tensor& images) const;

  std::unique_ptr<model::Backbone> backbone_;
  std::unique_ptr<model::SuperSimpleNet> net_;
};

}  // namespace dan::detect
