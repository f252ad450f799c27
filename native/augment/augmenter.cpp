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
  const at::Tensor image = (2 * picture.image - 1).unsqueeze(0);
  const at::Tensor mask = picture.mask.to(at::kFloat).unsqueeze(0).unsqueeze(0);
  return {index, toBytes(image)[0], toBytes(anomalyPart(image, mask, fill))[0],
          picture.mask.to(at::kByte).mul(255).contiguous()};
}

}  // namespace

Augmenter::Augmenter(Pool defects, Pool good, uint64_t seed)
    : defects_(std::move(defects)), good_(std::move(good)), seed_(seed) {
  if (defects_->size() == 0 || defects_->masks.size() != defects_->images.size()) {
    fail(kDatasetInvalid, "The recipe augment needs real images of defects with their masks, but there are none");
  }
  for (const at::Tensor& mask : defects_->masks) {
    if (!mask.any().item<bool>()) {
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

MarkedPicture Augmenter::place(const MarkedPicture& real, Rng& rng) const {
  if (rng.uniform() < kPasteShare) return pasted(real, rng);
  rng.uniform();  // An earlier version drew a number here. It is skipped so that a seed keeps its pictures.
  if (areaOf(real.mask) < kSmallArea) return inOwnPicture(real, rng);
  const at::Tensor ground = randomGood(rng).image;
  return blended(moved(real, rng), ground, rng);
}

MarkedPicture Augmenter::randomDefect(Rng& rng) const {
  const auto row = static_cast<size_t>(rng.below(defects_->size()));
  return flipped({toPicture(defects_->images[row]), defects_->masks[row] != 0}, rng);
}

MarkedPicture Augmenter::randomGood(Rng& rng) const {
  const at::Tensor picture = randomPicture(*good_, rng);
  return flipped({picture, at::zeros(picture.sizes().slice(1), at::kBool)}, rng);
}

MarkedPicture Augmenter::pasted(const MarkedPicture& real, Rng& rng) const {
  // A defect of single pixels can vanish when it shrinks. Half of the attempts do not shrink it, so the loop ends.
  while (true) {
    const MarkedPicture picture = randomGood(rng);
    cropPaste(real, picture, rng);
    if (picture.mask.any().item<bool>()) return picture;
  }
}

}  // namespace dan::augment
