// The noise of a batch of pairs, and what pairs start from.
#pragma once

#include <vector>

#include "model/base_model.h"

namespace dan::sample {

// Pair k of a seed has the same noise whatever batch it is in: each pair has a generator of its own, from which its
// start, the noise of its steps and that of its background come in turn.
class PairNoise {
 public:
  // `height` and `width` are in pixels.
  struct Inputs {
    const model::BaseModel& base;  // must outlive the object
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

// `trainingMeans` say what the training images' latents are like: for each channel the mean over positions, as its mean
// and its standard deviation over the images, (2, branches, channels).
struct LatentMeanStart {
  const at::Tensor& trainingMeans;
  // These are the whole images', (B, channels), where the pairs have backgrounds; else undefined.
  at::Tensor backgroundMeans;
  double alphaCumprod;  // at the first timestep
};

// Gives `noise`, (B * 2, 4, h, w), the means of latents as they look at the first timestep. A schedule that ends short
// of pure noise lets the model read colour off the mean of its start (arXiv 2305.08891), and a small base believes it.
// Each pair's own noise decides where among the training images its mean lies.
at::Tensor startFromLatentMeans(const at::Tensor& noise, const LatentMeanStart& start);

}  // namespace dan::sample
