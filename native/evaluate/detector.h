// This defect detector serves the evaluation. It is a two-class segmentation network trained on good images and
// defects.
#pragma once

#include <memory>
#include <vector>

#include "evaluate/learner.h"
#include "model/localization_net.h"

namespace dan::evaluate {

class Detector : public Learner {
 public:
  // Pictures' sides must be multiples of 32. Fresh weights: kernels N(0, 0.02), norms N(1, 0.02), as published.
  // predict() gives the probability of a defect for each pixel, (N, H, W).
  Detector(LearnerOptions options, augment::Pool good, std::unique_ptr<DefectSource> defects, at::Device device);

 protected:
  // Draws a good or a defective example with even chances.
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples) const override;
  at::Tensor probabilities(const at::Tensor& images) const override;

 private:
  augment::Pool good_;
  std::unique_ptr<DefectSource> defects_;
  std::unique_ptr<model::LocalizationNet> net_;
};

}  // namespace dan::evaluate
