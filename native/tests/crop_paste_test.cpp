// Crop&Paste must copy the defect of one picture onto another unchanged.
#include "augment/crop_paste.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "core/random.h"
#include "tests/test.h"

namespace dan {

namespace {

constexpr int64_t kCropPasteSide = 64;

// Returns a thin dark cross, which leaves most of its box free.
augment::MarkedPicture crossed() {
  const augment::MarkedPicture cross = {at::full({3, kCropPasteSide, kCropPasteSide}, 0.5),
                                        at::zeros({kCropPasteSide, kCropPasteSide}, at::kBool)};
  for (const int64_t side : {0, 1}) {
    cross.image.narrow(side + 1, 32, 1).narrow(2 - side, 8, 48).fill_(0.1);
    cross.mask.narrow(side, 32, 1).narrow(1 - side, 8, 48).fill_(true);
  }
  return cross;
}

}  // namespace

DAN_TEST(crop_paste_keeps_marked_what_was_pasted_before) {
  const augment::MarkedPicture defect = crossed();
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(makeGenerator(seed, 0));
    const augment::MarkedPicture onto = {at::full({3, kCropPasteSide, kCropPasteSide}, 0.8),
                                         at::zeros({kCropPasteSide, kCropPasteSide}, at::kBool)};
    for (int defects = 0; defects < 5; ++defects) {
      augment::cropPaste(defect, onto, rng);
      EXPECT((onto.image[0] < 0.79).equal(onto.mask));
    }
  }
}

}  // namespace dan
