// These functions draw the noise of a batch of pairs and the latents that pairs start from.
#pragma once

#include <vector>

#include "model/base_model.h"

namespace dan::sample {

// The noise of pair k depends on the seed and on k, but not on the batch. Each pair has its own generator, which draws
// first its start and then the noise of its steps and of its background in turn.
class PairNoise {
 public:
  // `height` and `width` are in pixels.
  struct Inputs {
    const model::BaseModel& base;  // It must outlive the object.
    int64_t width, height;
    uint64_t seed;
    const std::vector<int64_t>& indices;
  };
  explicit PairNoise(const Inputs& inputs);

  // Returns the shape of one pair's latents, (2, 4, h, w).
  const std::vector<int64_t>& latentShape() const { return latentShape_; }
  // Draws standard normal numbers, (B * 2, 4, h, w), float32 on the base's device.
  at::Tensor draw() { return draw(latentShape_[0]); }
  // Draws the same for the whole images alone, (B, 4, h, w).
  at::Tensor drawOneBranch() { return draw(1); }

 private:
  at::Tensor draw(int64_t branches);

  at::Device device_;
  std::vector<int64_t> latentShape_;
  std::vector<at::Generator> generators_;
};

// `trainingMeans` describe the latents of the training images. For each channel we take the mean over positions; these
// are the mean and the standard deviation of it over the images, (2, branches, channels).
struct LatentMeanStart {
  const at::Tensor& trainingMeans;
  // If the pairs have backgrounds, these are the means for whole images, (B, channels). Otherwise they are undefined.
  at::Tensor backgroundMeans;
  double alphaCumprod;  // at the first timestep
};

// Shifts `noise`, (B * 2, 4, h, w), to the mean that latents have at the first timestep. If a schedule ends before pure
// noise, the model infers colour from the mean of its start (arXiv 2305.08891), and a small base follows it closely.
// Each pair's own noise decides its place among the means of the training images.
at::Tensor startFromLatentMeans(const at::Tensor& noise, const LatentMeanStart& start);

}  // namespace dan::sample
