#include "augment/augmenter.h"

#include <ATen/Parallel.h>

#include "augment/blending.h"
#include "augment/crop_paste.h"
#include "augment/defect_placement.h"
#include "augment/lighting.h"
#include "augment/settings.h"
#include "core/error.h"
#include "core/random.h"

namespace dan::augment {

namespace {

MarkedPicture inOwnPicture(const MarkedPicture& real, Rng& rng) {
  constexpr double kMostLight = 1.25;
  const double light = rng.uniform(0.8, kMostLight);
  const MarkedPicture picture = withJitter(real, rng);
  return {exposed(picture.image, light, kMostLight), picture.mask};
}

AugmentedPair drawPair(const Augmenter& augmenter, int64_t index, PartFill fill) {
  const MarkedPicture picture = augmenter.draw(index);
  return {toPairBytes(picture.image, picture.mask, fill), index};
}

}  // namespace

Augmenter::Augmenter(Pool defects, Pool good, uint64_t seed)
    : defects_(std::move(defects)), good_(std::move(good)), seed_(seed) {
  if (defects_->size() == 0 || defects_->masks.size() != defects_->images.size()) {
    fail(kDatasetInvalid, "The recipe augment needs real images of defects with their masks, but there are none");
  }
  for (const at::Tensor& mask : defects_->masks) {
    boxes_.push_back(boundingBox(mask != 0));
    if (boxes_.back().height == 0) {
      fail(kDatasetInvalid, "The recipe augment needs masks that mark a defect, but one of them is empty");
    }
  }
  if (good_->size() == 0) {
    fail(kDatasetInvalid, "The recipe augment needs good images to put defects on, but there are none");
  }
  if (good_->height != defects_->height || good_->width != defects_->width) {
    fail(kDatasetInvalid, "Expected good images of ", defects_->width, " x ", defects_->height,
         ", as large as those with defects, but they are ", good_->width, " x ", good_->height);
  }
}

MarkedPicture Augmenter::draw(int64_t index) const {
  Rng rng(makeGenerator(seed_, static_cast<uint64_t>(index)));
  MarkedPicture picture = place(randomDefect(rng), rng);
  picture.image = withUnevenLight(picture.image, kLightSpread, rng);
  picture.image = withExposure(picture.image, kExposureSpread, rng);
  return picture;
}

std::vector<AugmentedPair> Augmenter::pairs(const std::vector<int64_t>& indices, PartFill fill,
                                            const Task& task) const {
  const auto count = static_cast<int64_t>(indices.size());
  std::vector<AugmentedPair> pairs(indices.size());
  // A picture has too little work for several threads, so each thread draws pictures of its own.
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      task.checkCancelled();
      pairs[static_cast<size_t>(i)] = drawPair(*this, indices[static_cast<size_t>(i)], fill);
    }
  });
  return pairs;
}

MarkedPicture Augmenter::place(const Defect& defect, Rng& rng) const {
  if (rng.uniform() < kPasteShare) return pasted(defect, rng);
  rng.uniform();  // An earlier version drew a number here. It is skipped so that a seed keeps its pictures.
  const MarkedPicture real = pictureOf(defect, {0, 0, defects_->height, defects_->width});
  if (areaOf(real.mask) < kSmallArea) return inOwnPicture(real, rng);
  const at::Tensor ground = randomGood(rng);
  return blended(moved(real, rng), ground, rng);
}

Augmenter::Defect Augmenter::randomDefect(Rng& rng) const {
  const auto row = static_cast<size_t>(rng.below(defects_->size()));
  return {row, randomFlips(rng)};
}

MarkedPicture Augmenter::pictureOf(const Defect& defect, const Box& box) const {
  const auto cut = [&box](const at::Tensor& whole) {
    return whole.narrow(0, box.top, box.height).narrow(1, box.left, box.width);
  };
  const auto [row, flips] = defect;
  return {toPicture(cut(defects_->images[row]), flips), flipped(cut(defects_->masks[row]) != 0, flips)};
}

at::Tensor Augmenter::randomGood(Rng& rng) const {
  const auto row = static_cast<size_t>(rng.below(good_->size()));
  return toPicture(good_->images[row], randomFlips(rng));
}

MarkedPicture Augmenter::pasted(const Defect& defect, Rng& rng) const {
  const MarkedPicture real = pictureOf(defect, boxes_[defect.row]);
  // A defect of single pixels can vanish when it shrinks. Half of the attempts do not shrink it, so the loop ends.
  while (true) {
    const MarkedPicture picture = {randomGood(rng), at::zeros({good_->height, good_->width}, at::kBool)};
    cropPaste(real, picture, rng);
    if (picture.mask.any().item<bool>()) return picture;
  }
}

}  // namespace dan::augment
