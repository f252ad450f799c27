// A DefectSource gives a detector its training images: good images, and real, generated, pasted or made-up defects.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "augment/pixel_pool.h"

namespace dan::detect {

// Each image of a defect belongs to a group, such as generated or real, and to a type.
struct Strata {
  std::vector<int64_t> groups, types;
};

struct Example : augment::MarkedPicture {
  int64_t type = 0;  // of the defect, from the strata; 0 if it has none
  at::Tensor good;   // (3, H, W): the image without its defect; undefined where nobody knows it, as for real parts
};

class DefectSource {
 public:
  virtual ~DefectSource() = default;
  virtual Example draw(Rng& rng) const = 0;
  // Returns true if examples have types.
  virtual bool hasTypes() const = 0;
};

struct SourceOptions {
  // "pairs" uses the defects unchanged. "crop-paste" cuts them out, flips, turns and scales them, and pastes them at
  // random places of a good image (Crop&Paste, Lin et al., ICME 2021). "draem" blends a texture in the shape of Perlin
  // noise into a good image (DRAEM, arXiv 2108.07610) and needs no defects.
  std::string kind = "pairs";
  bool flips = true;
};

// `textures` are for draem, which otherwise uses noise and changed good images. Groups are drawn uniformly, then types
// within a group, then images within a type, so that a type with few images is drawn as often as one with many. Throws
// ERR_DATASET_INVALID if a pool that the kind needs is empty.
std::unique_ptr<DefectSource> makeDefectSource(const SourceOptions& options, augment::Pool good, augment::Pool defects,
                                               const Strata& strata, augment::Pool textures = nullptr);

// Flips image and mask together, horizontally with probability 0.5 and vertically with probability 0.5. The result has
// no `good`.
Example flipped(Example example, Rng& rng);

// Draws a good image uniformly, with an empty mask, and flips it if `flips` says so.
Example drawGood(const augment::PixelPool& good, bool flips, Rng& rng);

}  // namespace dan::detect
