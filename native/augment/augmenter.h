// The recipe `augment` makes pairs without a model. Each shows a real defect on a real picture and has an exact mask.
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
  // The masks of `defects` must not be empty, and `good` must have the same size. Throws ERR_DATASET_INVALID if one of
  // the pools is empty or does not fit.
  Augmenter(Pool defects, Pool good, uint64_t seed);

  // Draws picture `index`, which depends on the seed and the index only. A random defect is pasted onto a good picture.
  // A small defect may instead stay in its own picture, which is then changed like a second photograph. A large defect
  // may instead move to another place on a good picture. At the end, light and exposure of the picture vary.
  MarkedPicture draw(int64_t index) const;

  // Draws pictures as bytes, with their parts on the background `fill`. Ends within one picture once `task` is
  // cancelled.
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
