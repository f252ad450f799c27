// The VAE encodes every training image and each of its flips once, before training.
#pragma once

#include "core/pixel_values.h"
#include "core/task.h"
#include "dual/branch.h"
#include "model/base_model.h"

namespace dan::train {

struct TrainingPixels {
  at::Tensor images;       // (N, H, W, 3) uint8
  at::Tensor masks;        // (N, H, W) uint8, not 0 inside the defect
  at::Tensor foregrounds;  // (N, H, W) uint8, not 0 inside the object; undefined without background compensation
  PartFill fill = PartFill::kGrey;
  bool flips = true;  // horizontal and vertical flips, and both, of image and masks alike are kept, too
};

class PairLatents {
 public:
  PairLatents(const model::BaseModel& base, const TrainingPixels& pixels, const Task& task);

  int64_t count() const { return mean_.size(0); }
  int64_t variants() const { return mean_.size(1); }
  // Samples latents of image `index[i]` in its variant `variant[i]`: (B * 2, 4, h, w), scaled, with independent noise
  // for each branch.
  at::Tensor draw(const at::Tensor& index, const at::Tensor& variant, at::Generator generator) const;
  // Draws the same images' backgrounds, (B, 4, h, w): scaled like the others, or not, as published.
  at::Tensor drawBackground(const at::Tensor& index, const at::Tensor& variant, bool scaled,
                            at::Generator generator) const;
  // Returns the place of the defect, (B, 1, h, w). It is one on every latent that the defect touches and on the
  // neighbours of these, and zero elsewhere.
  at::Tensor defect(const at::Tensor& index, const at::Tensor& variant) const;
  // Returns for each latent channel the mean over all positions, as its mean and its standard deviation over images and
  // variants: (2, branches, channels), scaled.
  at::Tensor latentMeans() const;

 private:
  double scalingFactor_;
  at::Tensor mean_, deviation_;                      // (N, variants, 2, 4, h, w)
  at::Tensor defect_;                                // (N, variants, 1, h, w)
  at::Tensor backgroundMean_, backgroundDeviation_;  // (N, variants, 4, h, w)
};

}  // namespace dan::train
