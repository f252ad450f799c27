// What a detector learns from: good images, and defects that are real, generated, pasted or made up.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "augment/pixel_pool.h"

namespace dan::evaluate {

// Each image of a defect belongs to a group (generated or real, say), and in it to a type.
struct Strata {
  std::vector<int64_t> groups, types;
};

struct Example : augment::MarkedPicture {
  int64_t type = 0;  // of the defect, by the strata; 0 where it has none
};

class DefectSource {
 public:
  virtual ~DefectSource() = default;
  virtual Example draw(Rng& rng) const = 0;
  // Returns whether what is drawn is of a type.
  virtual bool hasTypes() const = 0;
};

struct SourceOptions {
  // "pairs": the defects as they are. "crop-paste": cut out, flipped, turned and scaled, and pasted where they fall on
  // a good image (Crop&Paste, Lin et al., ICME 2021). "draem": a texture in the shape of Perlin noise, blended into a
  // good image (DRAEM, arXiv 2108.07610); it looks at no defect.
  std::string kind = "pairs";
  bool flips = true;
};

// `textures` serve draem; without them, noise and changed good images do. Each group of defects has the same chance, in
// it each type, in it each image, so that many pictures of one type do not crowd out few of another.
// Throws ERR_DATASET_INVALID where there is nothing to draw from.
std::unique_ptr<DefectSource> makeDefectSource(const SourceOptions& options, augment::Pool good, augment::Pool defects,
                                               const Strata& strata, augment::Pool textures = nullptr);

// Flips image and mask alike, horizontally and vertically with even chances.
Example flipped(Example example, Rng& rng);

}  // namespace dan::evaluate
