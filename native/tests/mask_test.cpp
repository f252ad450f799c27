// Masks by threshold: as wide as the defect, whatever the blank's level.
#include "mask/part_masker.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kSide = 24;
constexpr double kThreshold = 0.12;

at::Tensor blank(double level) { return at::full({kSide, kSide, 3}, static_cast<int64_t>(level), at::kByte); }

at::Tensor maskOf(const at::Tensor& part, double fill) {
  return mask::binarize(mask::distanceFromFill(part, fill), kThreshold) > 0;
}

}  // namespace

DAN_TEST(threshold_masks_are_as_wide_as_the_defect) {
  for (const double fill : {0.0, 128.0}) {
    at::Tensor part = blank(fill), expected = at::zeros({kSide, kSide}, at::kBool);
    const auto draw = [&](int64_t top, int64_t left, int64_t height, int64_t width) {
      part.narrow(0, top, height).narrow(1, left, width).fill_(200);
      expected.narrow(0, top, height).narrow(1, left, width).fill_(true);
    };
    draw(2, 2, 6, 5);    // an area
    draw(0, 12, 20, 1);  // a crack, to the picture's edge
    draw(23, 20, 1, 4);  // one along the edge
    EXPECT(at::equal(maskOf(part, fill), expected));
  }
}

DAN_TEST(threshold_masks_leave_out_specks_and_close_holes) {
  at::Tensor part = blank(128);
  part[4][4].fill_(170);  // a third of the range above the threshold, alone
  EXPECT(!maskOf(part, 128).any().item<bool>());
  part.narrow(0, 10, 6).narrow(1, 10, 6).fill_(230);
  part[12][12].fill_(128);
  EXPECT(maskOf(part, 128).sum().item<int64_t>() == 36);
}

}  // namespace dan::tests
