// A latent source gives the trainer the latents of its training pairs. There are two: PairLatents encodes whole images
// once, before training; WindowLatents cuts new windows at every step and encodes them then.
#pragma once

#include <memory>
#include <vector>

#include "core/pixel_values.h"
#include "core/task.h"
#include "dual/adapter_examples.h"
#include "model/base_model.h"
#include "model/inpaint_condition.h"

namespace dan::train {

// A piece of a training photograph at the adapter's scale.
struct TrainingRegion {
  at::Tensor image;       // (H, W, 3) uint8, each side at least the resolution
  at::Tensor mask;        // (H, W) uint8, not 0 inside the defect; 0 everywhere for a good region
  at::Tensor foreground;  // (H, W) uint8, not 0 inside the object; undefined without background compensation
  int64_t type = 0;
};

struct TrainingRegions {
  std::vector<TrainingRegion> regions;
  int64_t resolution = 0;  // pixels along each side of a window
  PartFill fill = PartFill::kGrey;
  bool flips = true;  // image and masks are flipped alike: horizontally, vertically, and both
};

// A Gaussian distribution of latents, which are not scaled.
struct LatentGaussian {
  at::Tensor mean, deviation;
  at::Tensor sample(at::Generator generator) const;
};

// The latents of B drawn pairs.
struct TrainingBatch {
  at::Tensor latents;  // (B * 2, 4, h, w), scaled, with independent noise for each branch
  // (B, 1, h, w): one on every latent that the defect touches and on the neighbours of these, and zero elsewhere
  at::Tensor defect;
  LatentGaussian background;  // (B, 4, h, w); undefined without foregrounds
  // These two are undefined for a base that is no inpainting base. The first has B * 2 rows, the second has B.
  model::InpaintCondition condition, backgroundCondition;
};

class LatentSource {
 public:
  // Throws ERR_INVALID_OPTION naming a region that does not fit the rest.
  explicit LatentSource(TrainingRegions data);
  virtual ~LatentSource() = default;

  // Draws a pair of each region in `index` (B), in a random one of its variants.
  virtual TrainingBatch draw(const at::Tensor& index, at::Generator generator) const = 0;
  // Returns for each latent channel the mean over all positions, as its mean and its standard deviation over pairs:
  // (2, branches, channels), scaled.
  virtual at::Tensor latentMeans() const = 0;
  // Returns the background of the first region, (1, 4, h, w).
  virtual LatentGaussian firstBackground() const = 0;

  // Returns the centred window of regions with a defect: at most 64 of each type, evenly spaced.
  std::vector<dual::AdapterExample> examples() const;
  bool hasForegrounds() const { return data_.regions.front().foreground.defined(); }
  const TrainingRegions& data() const { return data_; }

 private:
  TrainingRegions data_;
};

// Returns the source that suits the regions: PairLatents if each is one window and the base is no inpainting base.
std::unique_ptr<LatentSource> makeLatentSource(const model::BaseModel& base, TrainingRegions data, const Task& task);

// Returns the place of the defect in latents. masks: (B, 1, H, W) of 0 and 1. Returns (B, 1, h, w), as in
// TrainingBatch.
at::Tensor defectInLatents(const at::Tensor& masks, at::IntArrayRef latentSize);

// Converts (H, W, 3) uint8 to (1, 3, H, W) in [-1, 1], and a mask, (H, W), to (1, 1, H, W) of 0 and 1.
at::Tensor toPixelValues(const at::Tensor& image, at::Device device);
at::Tensor toMask(const at::Tensor& mask, at::Device device);

}  // namespace dan::train
