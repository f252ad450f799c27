// Where pairs start that are drawn as variations of real ones: a real defect in its own picture, or moved to a good
// one.
#pragma once

#include "core/crop_paste.h"
#include "core/pixel_pool.h"

namespace dan::sample {

struct LayoutOptions {
  // Of the layouts keep the real picture, where the defect is large and where it is small.
  double ownShare = 0.6, smallOwnShare = 1;
  uint64_t seed = 0;
  // Of all layouts are pasted as Crop&Paste does, where the defect is large, where it is small, and where it is small
  // and many times as long as wide; the shares above are of the others.
  double pasteShare = 0, smallPasteShare = 0, thinPasteShare = 0;
  bool pasteOnDefects = false;  // the pasted ones are not on good pictures but on real ones, whose defect stays
  bool pasteTurns = false;      // pasted ones by quarters, against the direction of grain and scratches, too
  // Standard deviation of the logarithm of a smooth field of light that each layout is multiplied by, where the defect
  // is large and where it is small.
  double lightSpread = 0, smallLightSpread = 0;
  double exposureSpread = 0;  // standard deviation of the logarithm of what all of a layout is multiplied by
  double movedContrast = 1;   // multiplies how much a moved defect stands out
};

using Layout = MarkedPicture;  // with a mask that is not empty

class Layouts {
 public:
  // `defects` with masks that are not empty; `good` of the same size, or without pictures: then every defect keeps its
  // own. Throws ERR_DATASET_INVALID.
  Layouts(Pool defects, Pool good, LayoutOptions options);

  int64_t height() const { return defects_->height; }
  int64_t width() const { return defects_->width; }
  // Layout `index` of the seed, whatever was asked for before. An own picture is flipped, moved a little (mirrored
  // where it ends, with the mask), and made lighter or darker. A moved defect is flipped, turned a little, scaled,
  // moved (small ones anywhere, and bent; large ones still reach the edges that they reached), and added to the good
  // picture as its difference to what was around it, so that light and ground are the new picture's. A pasted defect
  // keeps its light; where it is on a real picture, that is as an own picture is. Then light falls on all of it, and it
  // is exposed.
  Layout draw(int64_t index) const;

 private:
  Layout drawReal(Draw& draw) const;
  Layout put(const Layout& real, Draw& draw) const;
  double pasteShareOf(const at::Tensor& mask) const;
  Layout pasted(const Layout& real, Draw& draw) const;
  Layout photographed(const Layout& real, Draw& draw) const;
  Layout onGood(Draw& draw) const;
  Layout moved(const Layout& real, Draw& draw) const;

  Pool defects_, good_;
  LayoutOptions options_;
};

// The part of a mask's picture where a change may show: the mask and a soft border of few pixels, (H, W) in 0 .. 1.
at::Tensor softened(const at::Tensor& mask);

}  // namespace dan::sample
