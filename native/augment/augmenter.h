// The recipe `augment`: pairs that no model draws. Each is a real defect on a real picture, with its exact mask.
#pragma once

#include "augment/pixel_pool.h"
#include "core/pixel_values.h"
#include "core/task.h"

namespace dan::augment {

struct AugmentedPair {
  int64_t index = 0;
  at::Tensor image, part;  // (H, W, 3) uint8
  at::Tensor mask;         // (H, W) uint8, 255 inside the defect
};

class Augmenter {
 public:
  // `defects` with masks that are not empty, and `good` of the same size. Throws ERR_DATASET_INVALID where one of them
  // holds nothing or does not fit.
  Augmenter(Pool defects, Pool good, uint64_t seed);

  // Picture `index` of the seed, whatever was drawn before. A random defect is pasted onto a good picture, or, where it
  // is small, shown in its own picture as another photograph would show it, or, where it is large, moved to another
  // place on a good picture. Then light falls on all of it, and it is exposed.
  MarkedPicture draw(int64_t index) const;

  // The same as bytes with their parts, whose blank ground is `fill`. Ends within one picture once `task` is cancelled.
  std::vector<AugmentedPair> pairs(const std::vector<int64_t>& indices, PartFill fill, const Task& task) const;

 private:
  MarkedPicture place(const MarkedPicture& real, Rng& rng) const;
  MarkedPicture randomDefect(Rng& rng) const;
  MarkedPicture randomGood(Rng& rng) const;
  MarkedPicture pasted(const MarkedPicture& real, Rng& rng) const;

  Pool defects_, good_;
  uint64_t seed_;
};

}  // namespace dan::augment
