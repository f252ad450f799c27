// The VAE encodes every training image and each of its flips once, before training.
#pragma once

#include "train/latent_source.h"

namespace dan::train {

class PairLatents : public LatentSource {
 public:
  // Each region must be one window.
  PairLatents(const model::BaseModel& base, TrainingRegions data, const Task& task);

  TrainingBatch draw(const at::Tensor& index, at::Generator generator) const override;
  // The deviations are those over images and variants.
  at::Tensor latentMeans() const override;
  LatentGaussian firstBackground() const override;

 private:
  double scalingFactor_;
  LatentGaussian pairs_;        // (N, variants, 2, 4, h, w)
  at::Tensor defect_;           // (N, variants, 1, h, w)
  LatentGaussian backgrounds_;  // (N, variants, 4, h, w)
};

}  // namespace dan::train
