// The evaluation's classifier of defect types: a ResNet-18, trained on defects alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "evaluate/learner.h"
#include "model/resnet18.h"

namespace dan::evaluate {

class Classifier : public Learner {
 public:
  // `backbone`: torchvision's file to start from, whose last layer is left out, or empty for fresh weights (kernels by
  // He et al., arXiv 1502.01852, fan out, as torchvision's; the last layer uniform). Only base width 64 fits a file.
  // predict() gives the probability of each type, (N, classes). Throws ERR_WEIGHTS_INVALID, and
  // ERR_DATASET_INVALID where the defects have no types.
  Classifier(LearnerOptions options, std::unique_ptr<DefectSource> defects, int64_t classes,
             const std::string& backbone, at::Device device);

 protected:
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples) const override;
  at::Tensor probabilities(const at::Tensor& images) const override;

 private:
  std::unique_ptr<DefectSource> defects_;
  std::unique_ptr<model::ResNet18> net_;
};

}  // namespace dan::evaluate
