// The recipe `augment` makes pairs without a model. Each shows a real defect on a real picture and has an exact mask.
#pragma once

#include "augment/box_placement.h"
#include "augment/picture_bytes.h"
#include "augment/pixel_pool.h"
#include "core/task.h"

namespace dan::augment {

struct AugmentedPair : PairBytes {
  int64_t index = 0;
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
  // A drawn defect is converted to floats when it is known how much of its picture is needed.
  struct Defect {
    size_t row;
    Flips flips;
  };
  MarkedPicture place(const Defect& defect, Rng& rng) const;
  Defect randomDefect(Rng& rng) const;
  // Returns what lies inside a box of the defect's picture.
  MarkedPicture pictureOf(const Defect& defect, const Box& box) const;
  at::Tensor randomGood(Rng& rng) const;
  MarkedPicture pasted(const Defect& defect, Rng& rng) const;

  Pool defects_, good_;
  std::vector<Box> boxes_;  // around the defects
  uint64_t seed_;
};

}  // namespace dan::augment
