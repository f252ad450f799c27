// The backgrounds that generated pairs are to have (BCM): encoded once, noised to every step's timestep.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/task.h"
#include "model/base_model.h"
#include "sample/background_pass.h"

namespace dan::sample {

struct BackgroundOptions {
  int64_t every = 50;  // pairs that share a background before the next one takes over
  // By the autoencoder's factor, like every other latent. Published adapters were trained without.
  bool scaled = true;
  // Fresh noise at every step, as published, instead of one noise per background.
  bool freshNoise = false;
  // What the batches that share these backgrounds keep of their passes; nothing where the noise is fresh.
  std::string keepFeatures = "no";
  uint64_t seed = 0;
};

class Backgrounds {
 public:
  // images: (M, H, W, 3) uint8; foregrounds: (M, H, W) uint8, not 0 where the foreground is, which is blacked out.
  Backgrounds(const model::BaseModel& base, const at::Tensor& images, const at::Tensor& foregrounds,
              BackgroundOptions options, const Task& task);
  // Of latents that are there already, (M, 4, h, w).
  Backgrounds(const model::BaseModel& base, at::Tensor latents, BackgroundOptions options);

  const BackgroundOptions& options() const { return options_; }
  // Null where nothing is kept.
  FeatureStore* keptFeatures() const { return keptFeatures_.get(); }
  int64_t count() const { return latents_.size(0); }
  at::IntArrayRef latentSize() const { return latents_.sizes().slice(2); }
  // Which background pair `index` has.
  int64_t of(int64_t index) const { return index / options_.every % count(); }
  // The latents of backgrounds `which` and their noise, (K, 4, h, w) each. `which` -1: the zero image (mid-grey), which
  // the unconditional half of guidance has, as published.
  at::Tensor latents(const std::vector<int64_t>& which) const;
  at::Tensor noise(const std::vector<int64_t>& which) const;
  // The mean of each latent channel over a background's positions, foregrounds left out: (K, 4), scaled.
  at::Tensor levels(const std::vector<int64_t>& which) const;

 private:
  BackgroundOptions options_;
  at::Tensor latents_, zeroLatent_;  // (M, 4, h, w), (1, 4, h, w)
  at::Tensor levels_;                // (M, 4)
  std::unique_ptr<FeatureStore> keptFeatures_;
};

}  // namespace dan::sample
