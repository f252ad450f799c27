// This classifier of anomaly types serves the evaluation. It is a ResNet-18 trained only on defects.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "detect/learner.h"
#include "model/resnet.h"

namespace dan::detect {

class Classifier : public Learner {
 public:
  // `backbone` is torchvision's file to start from, whose last layer is ignored, or empty for fresh weights. Fresh
  // kernels follow He et al. (arXiv 1502.01852, fan out), as in torchvision; the last layer is uniform. A file needs a
  // base width of 64. Throws ERR_WEIGHTS_INVALID, and ERR_DATASET_INVALID if the defects have no types.
  Classifier(LearnerOptions options, std::unique_ptr<DefectSource> defects, int64_t classes,
             const std::string& backbone, at::Device device);

  // Returns the probability of each type, (N, classes) on the CPU, for images, (N, H, W, 3) uint8. Throws
  // ERR_NON_FINITE.
  at::Tensor predict(const at::Tensor& images, const Task& task) const;

 protected:
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const override;

 private:
  at::Device device_;
  std::unique_ptr<DefectSource> defects_;
  std::unique_ptr<model::ResNetClassifier> net_;
};

}  // namespace dan::detect
