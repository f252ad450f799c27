// The VAE encodes every training image and each of its flips once, before training.
#pragma once

#include "core/task.h"
#include "dual/anomaly_part.h"
#include "dual/branch.h"
#include "model/base_model.h"

namespace dan::train {

struct TrainingPixels {
  at::Tensor images;       // (N, H, W, 3) uint8
  at::Tensor masks;        // (N, H, W) uint8, not 0 inside the defect
  at::Tensor foregrounds;  // (N, H, W) uint8, not 0 inside the object; undefined without background compensation
  dual::PartFill fill = dual::PartFill::kGrey;
  bool flips = true;  // If true, the variants are the original, the horizontal flip, the vertical flip and both,
                      // applied to image and masks.
};

class PairLatents {
 public:
  PairLatents(const model::BaseModel& base, const TrainingPixels& pixels, const Task& task);

  int64_t count() const { return mean_.size(0); }
  int64_t variants() const { return mean_.size(1); }
  // Samples latents of image `index[i]` in its variant `variant[i]`: (B * 2, 4, h, w), scaled, with independent noise
  // for each branch.
  at::Tensor draw(const at::Tensor& index, const at::Tensor& variant, at::Generator generator) const;
  // Samples the backgrounds of the same images, (B, 4, h, w). Published adapters need them unscaled.
  at::Tensor drawBackground(const at::Tensor& index, const at::Tensor& variant, bool scaled,
                            at::Generator generator) const;
  // Returns (B, 1, h, w): one on every latent that the defect touches and on its neighbours, else zero.
  at::Tensor defect(const at::Tensor& index, const at::Tensor& variant) const;
  // The level of a latent channel is its mean over all positions. Returns the mean and standard deviation of the levels
  // over images and variants: (2, branches, channels), scaled.
  at::Tensor levels() const;

 private:
  double scalingFactor_;
  at::Tensor mean_, deviation_;                      // (N, variants, 2, 4, h, w)
  at::Tensor defect_;                                // (N, variants, 1, h, w)
  at::Tensor backgroundMean_, backgroundDeviation_;  // (N, variants, 4, h, w)
};

}  // namespace dan::train
