// Every step cuts new windows out of the regions, and the VAE encodes them then.
#pragma once

#include "train/latent_source.h"
#include "train/region_windows.h"

namespace dan::train {

class WindowLatents : public LatentSource {
 public:
  // `base` must outlive this object.
  WindowLatents(const model::BaseModel& base, TrainingRegions data, const Task& task);

  TrainingBatch draw(const at::Tensor& index, at::Generator generator) const override;
  // The means are those of the centred windows, without flips, which hardly change a mean.
  at::Tensor latentMeans() const override { return latentMeans_; }
  LatentGaussian firstBackground() const override;

 private:
  // Pixels of B windows, on the CPU: (B, 3, R, R) in [-1, 1], and (B, 1, R, R) of 0 and 1.
  struct Pixels {
    at::Tensor images, masks, foregrounds;
  };
  Pixels cut(const TrainingRegion& region, const Window& window) const;
  LatentGaussian encode(const at::Tensor& images) const;
  LatentGaussian encodePairs(const Pixels& pixels) const;
  void addConditions(TrainingBatch& batch, const Pixels& pixels, const at::Tensor& places) const;

  const model::BaseModel& base_;
  std::vector<RegionWindows> windows_;
  at::Tensor latentMeans_;
  at::Tensor greyLatents_, blankPartLatents_;  // (1, 4, h, w), scaled; only for an inpainting base
};

}  // namespace dan::train
