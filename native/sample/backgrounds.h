// The backgrounds that generated pairs are to have (BCM). They are encoded once and noised to every step's timestep.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/task.h"
#include "model/base_model.h"
#include "sample/background_pass.h"

namespace dan::sample {

struct BackgroundOptions {
  int64_t every = 50;  // so many pairs share a background before the next one takes over
  // Latents are scaled by the autoencoder's factor, like every other latent. Published adapters were trained without.
  bool scaled = true;
  // Each step has fresh noise, as published, instead of one noise per background.
  bool freshNoise = false;
  // Says where batches that share these backgrounds keep features of their passes. With fresh noise nothing is kept.
  std::string keepFeatures = "no";
  uint64_t seed = 0;
};

struct BackgroundPixels {
  at::Tensor images;       // (M, H, W, 3) uint8
  at::Tensor foregrounds;  // (M, H, W) uint8, not 0 where the foreground is, which is blacked out
};

// This number stands for the zero image (mid-grey), which the unconditional half of guidance has, as published.
constexpr int64_t kZeroBackground = -1;

class Backgrounds {
 public:
  Backgrounds(const model::BaseModel& base, const BackgroundPixels& pixels, BackgroundOptions options,
              const Task& task);
  // Takes latents that are there already, (M, 4, h, w).
  Backgrounds(const model::BaseModel& base, at::Tensor latents, BackgroundOptions options);

  const BackgroundOptions& options() const { return options_; }
  // Returns null where nothing is kept.
  FeatureStore* keptFeatures() const { return keptFeatures_.get(); }
  int64_t count() const { return latents_.size(0); }
  at::IntArrayRef latentSize() const { return latents_.sizes().slice(2); }
  // Returns which background pair `index` has.
  int64_t of(int64_t index) const { return index / options_.every % count(); }
  // These return the latents of backgrounds `which` and their noise, (K, 4, h, w) each; kZeroBackground may be among
  // them.
  at::Tensor latents(const std::vector<int64_t>& which) const;
  at::Tensor noise(const std::vector<int64_t>& which) const;
  // Returns the mean of each latent channel over a background's positions, foregrounds left out: (K, 4), scaled.
  at::Tensor latentMeans(const std::vector<int64_t>& which) const;

 private:
  BackgroundOptions options_;
  at::Tensor latents_, zeroLatent_;  // (M, 4, h, w), (1, 4, h, w)
  at::Tensor latentMeans_;           // (M, 4)
  std::unique_ptr<FeatureStore> keptFeatures_;
};

}  // namespace dan::sample
