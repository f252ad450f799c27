// The filters of the recipe `augment` must give the values of libtorch's, whose rounding a seed's pictures depend on.
#include "augment/box_filter.h"

#include <ATen/ops/rand.h>

#include "augment/augmenter.h"
#include "core/random.h"
#include "tests/test.h"

namespace dan {

namespace {

constexpr int64_t kSizes[][2] = {{1, 1}, {3, 90}, {90, 3}, {40, 41}, {64, 64}, {131, 97}};
constexpr int64_t kRadii[] = {1, 2, 12, 36, 50};

}  // namespace

DAN_TEST(box_mean_has_every_bit_of_libtorchs_pooling) {
  for (const auto& [height, width] : kSizes) {
    for (const int64_t radius : kRadii) {
      const at::Tensor x = at::rand({3, height, width}, makeGenerator(1), at::kFloat);
      EXPECT(augment::boxMean(x, radius).equal(augment::boxMeanPlain(x, radius)));
      const at::Tensor turned = x.transpose(1, 2);
      EXPECT(augment::boxMean(turned, radius).equal(augment::boxMeanPlain(turned.contiguous(), radius)));
    }
  }
}

DAN_TEST(dilated_marks_what_libtorchs_pooling_marks) {
  for (const double share : {0.0, 0.002, 0.1, 1.0}) {
    for (const auto& [height, width] : kSizes) {
      for (const int64_t radius : kRadii) {
        const at::Tensor mask = at::rand({height, width}, makeGenerator(2), at::kFloat) < share;
        EXPECT(augment::dilated(mask, radius).equal(augment::dilatedPlain(mask, radius)));
      }
    }
  }
}

DAN_TEST(augmented_pairs_do_not_depend_on_what_is_drawn_beside_them) {
  const auto defects = std::make_shared<augment::PixelPool>(), good = std::make_shared<augment::PixelPool>();
  for (const auto& pool : {defects, good}) {
    pool->height = pool->width = 96;
    pool->images.push_back((at::rand({96, 96, 3}, makeGenerator(3), at::kFloat) * 255).to(at::kByte));
  }
  defects->masks.push_back(at::zeros({96, 96}, at::kByte));
  defects->masks[0].narrow(0, 20, 50).narrow(1, 30, 40).fill_(255);
  const augment::Augmenter augmenter(defects, good, 7);
  const auto together = augmenter.pairs({0, 1, 2, 3, 4, 5, 6, 7}, PartFill::kGrey, Task());
  for (const int64_t index : {0, 3, 7}) {
    const auto alone = augmenter.pairs({index}, PartFill::kGrey, Task());
    const augment::AugmentedPair& same = together[static_cast<size_t>(index)];
    EXPECT(alone[0].image.equal(same.image) && alone[0].part.equal(same.part) && alone[0].mask.equal(same.mask));
  }
}

}  // namespace dan
