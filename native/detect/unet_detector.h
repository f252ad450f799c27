// This is the published evaluation's detector: a two-class segmentation network trained on good images and defects.
#pragma once

#include <memory>
#include <vector>

#include "detect/trained_detector.h"
#include "model/localization_net.h"

namespace dan::detect {

class UnetDetector : public TrainedDetector {
 public:
  // Pictures' sides must be multiples of 32. Fresh weights: kernels N(0, 0.02), norms N(1, 0.02), as published.
  // The maps are the probability of a defect for each pixel.
  UnetDetector(const DetectorSettings& settings, FitData data, at::Device device);
  UnetDetector(const DetectorSettings& settings, const nn::Weights& weights);

 protected:
  // Draws a good or a defective example with even chances.
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const override;
  Scored scoreBatch(const at::Tensor& images, const Task& task) const override;

 private:
  std::unique_ptr<model::LocalizationNet> net_;
};

}  // namespace dan::detect
