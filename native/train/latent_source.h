// A latent source gives the trainer the latents of its training pairs. There are two: PairLatents encodes whole images
// once, before training; WindowLatents cuts new windows at every step and encodes them then.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "core/pixel_values.h"
#include "core/task.h"
#include "dual/adapter_examples.h"
#include "model/base_model.h"
#include "model/inpaint_condition.h"
#include "train/drawn_place.h"
#include "train/region_windows.h"

namespace dan::train {

// A piece of a training photograph at the adapter's scale.
struct TrainingRegion {
  at::Tensor image;       // (H, W, 3) uint8, each side at least the resolution
  at::Tensor mask;        // (H, W) uint8, not 0 inside the defect; 0 everywhere for a good region
  at::Tensor foreground;  // (H, W) uint8, not 0 inside the object; undefined without background compensation
  int64_t type = 0;
  // The pixel (row, column) in the middle of the region's own defect. The region may show others beside it. Without it,
  // the middle of the region counts.
  std::optional<std::array<int64_t, 2>> centre = std::nullopt;

  Window centredWindow(int64_t side) const;
  bool isGood() const { return !mask.any().item<bool>(); }
};

struct TrainingRegions {
  std::vector<TrainingRegion> regions;
  int64_t resolution = 0;  // pixels along each side of a window
  PartFill fill = PartFill::kGrey;
  bool flips = true;                 // image and masks are flipped alike: horizontally, vertically, and both
  Recipes recipes = Recipes::kBoth;  // only an inpainting base reads it
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
  // Returns for each latent channel the mean over all positions, as its mean and its standard deviation over the pairs
  // with a defect: (2, branches, channels), scaled.
  virtual at::Tensor latentMeans() const = 0;
  // Returns the background of the first region, (1, 4, h, w).
  virtual LatentGaussian firstBackground() const = 0;

  // Returns the centred windows that show a defect: at most 64 of each type, evenly spaced.
  std::vector<dual::AdapterExample> examples() const;
  bool hasForegrounds() const { return data_.regions.front().foreground.defined(); }
  const TrainingRegions& data() const { return data_; }

 protected:
  // Returns the numbers of the regions with a defect, or of all regions if none has one.
  std::vector<int64_t> defective() const;

 private:
  TrainingRegions data_;
};

// Returns the source that suits the regions: PairLatents if each is one window and the base is no inpainting base.
std::unique_ptr<LatentSource> makeLatentSource(const model::BaseModel& base, TrainingRegions data, const Task& task);

// Returns the place of the defect in latents. masks: (B, 1, H, W) of 0 and 1. Returns (B, 1, h, w), as in
// TrainingBatch.
at::Tensor defectInLatents(const at::Tensor& masks, at::IntArrayRef latentSize);

// Converts a mask, (H, W), to (1, 1, H, W) of 0 and 1.
at::Tensor toMask(const at::Tensor& mask, at::Device device);

}  // namespace dan::train
