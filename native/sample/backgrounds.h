// These are the backgrounds of generated pairs (BCM). They are encoded once and noised for the timestep of each step.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/task.h"
#include "model/base_model.h"
#include "sample/background_pass.h"

namespace dan::sample {

struct BackgroundOptions {
  int64_t every = 50;  // the number of successive pairs that share a background
  // True to scale latents by the autoencoder's factor, like all other latents. Published adapters were trained without.
  bool scaled = true;
  // True to draw fresh noise at each step, as published, instead of one noise for each background.
  bool freshNoise = false;
  // Batches that share these backgrounds keep the features of their passes here. With fresh noise nothing is kept.
  std::string keepFeatures = "no";
  uint64_t seed = 0;
};

struct BackgroundPixels {
  at::Tensor images;       // (M, H, W, 3) uint8
  at::Tensor foregrounds;  // (M, H, W) uint8, not 0 in the foreground, which is blacked out
};

// This number stands for the zero image (mid-grey). The unconditional half of guidance uses it, as published.
constexpr int64_t kZeroBackground = -1;

class Backgrounds {
 public:
  Backgrounds(const model::BaseModel& base, const BackgroundPixels& pixels, BackgroundOptions options,
              const Task& task);
  // Takes encoded latents, (M, 4, h, w).
  Backgrounds(const model::BaseModel& base, at::Tensor latents, BackgroundOptions options);

  const BackgroundOptions& options() const { return options_; }
  // Returns null if no features are kept.
  FeatureStore* keptFeatures() const { return keptFeatures_.get(); }
  int64_t count() const { return latents_.size(0); }
  at::IntArrayRef latentSize() const { return latents_.sizes().slice(2); }
  // Returns the number of the background of pair `index`.
  int64_t of(int64_t index) const { return index / options_.every % count(); }
  // These return the latents of the backgrounds `which` and their noise, (K, 4, h, w) each. `which` may contain
  // kZeroBackground.
  at::Tensor latents(const std::vector<int64_t>& which) const;
  at::Tensor noise(const std::vector<int64_t>& which) const;
  // Returns the mean of each latent channel over the positions without foreground, (K, 4), scaled.
  at::Tensor latentMeans(const std::vector<int64_t>& which) const;

 private:
  BackgroundOptions options_;
  at::Tensor latents_, zeroLatent_;  // (M, 4, h, w), (1, 4, h, w)
  at::Tensor latentMeans_;           // (M, 4)
  std::unique_ptr<FeatureStore> keptFeatures_;
};

}  // namespace dan::sample
