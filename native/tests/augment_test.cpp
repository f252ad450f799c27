// The recipe `augment` must place defects correctly, keep the ground, and return exact masks.
#include <cmath>

#include "augment/augmenter.h"
#include "augment/blending.h"
#include "augment/crop_paste.h"
#include "augment/defect_placement.h"
#include "core/random.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

using augment::MarkedPicture;

constexpr int64_t kAugmentSide = 64;

std::shared_ptr<augment::PixelPool> emptyPool() {
  auto pool = std::make_shared<augment::PixelPool>();
  pool->height = pool->width = kAugmentSide;
  return pool;
}

// Returns an even ground of level `ground`, 0 to 255, with a box of level `level` and `side` pixels in its middle.
MarkedPicture boxed(int64_t side, double level = 20, double ground = 120) {
  const MarkedPicture picture = {at::full({3, kAugmentSide, kAugmentSide}, ground / 255),
                                 at::zeros({kAugmentSide, kAugmentSide}, at::kBool)};
  const int64_t first = (kAugmentSide - side) / 2;
  picture.image.narrow(1, first, side).narrow(2, first, side).fill_(level / 255);
  picture.mask.narrow(0, first, side).narrow(1, first, side).fill_(true);
  return picture;
}

augment::Pool defectPool(const MarkedPicture& defect) {
  auto pool = emptyPool();
  pool->images.push_back((defect.image * 255).round().to(at::kByte).permute({1, 2, 0}).contiguous());
  pool->masks.push_back(defect.mask.to(at::kByte) * 255);
  return pool;
}

at::Tensor evenGround(double level) { return at::full({3, kAugmentSide, kAugmentSide}, level / 255); }

augment::Pool goodPool(double level) {
  auto pool = emptyPool();
  pool->images.push_back(at::full({kAugmentSide, kAugmentSide, 3}, level, at::kByte));
  return pool;
}

Rng rngOf(uint64_t seed, int64_t index) { return Rng(makeGenerator(seed, static_cast<uint64_t>(index))); }

MarkedPicture movedOnto(const MarkedPicture& real, const at::Tensor& ground, Rng rng) {
  const MarkedPicture moved = augment::moved(real, rng);
  return augment::blended(moved, ground, rng);
}

// A ground that gets brighter by one level in each column also changes in its mirrored edge. A repeated edge would be
// even.
at::Tensor ramp(int64_t rows) {
  return ((60 + at::arange(kAugmentSide)).to(at::kFloat) / 255)
      .view({1, 1, kAugmentSide})
      .expand({3, rows, kAugmentSide});
}

double spanOf(const at::Tensor& values) { return (values.max() - values.min()).item<double>(); }

}  // namespace

DAN_TEST(a_defect_is_blended_in_its_surroundings_alone_as_in_the_whole_picture_bit_by_bit) {
  constexpr int64_t kSide = 160;
  const at::Tensor ground = at::rand({3, kSide, kSide}, makeGenerator(5), at::kFloat);
  const at::Tensor own = at::rand({3, kSide, kSide}, makeGenerator(6), at::kFloat);
  constexpr int64_t kBoxes[][4] = {{0, 0, 0, 0},     {30, 40, 1, 1}, {0, 5, 12, 20},
                                   {60, 110, 30, 9}, {1, 1, 90, 4},  {0, 0, kSide, kSide}};
  for (const auto& [top, left, height, width] : kBoxes) {
    const at::Tensor mask = at::zeros({kSide, kSide}, at::kBool);
    mask.slice(0, top, top + height).slice(1, left, left + width).fill_(true);
    const MarkedPicture near = augment::blendedWith({own, mask}, ground, 1.7);
    const MarkedPicture whole = augment::blendedWithPlain({own, mask}, ground, 1.7);
    EXPECT(near.image.equal(whole.image) && near.mask.equal(whole.mask));
  }
}

DAN_TEST(a_moved_defect_changes_nothing_of_its_new_ground_but_where_it_lies) {
  const int64_t side = 24;
  const MarkedPicture real = boxed(side);
  at::Tensor places = at::zeros({kAugmentSide, kAugmentSide});
  for (int64_t i = 0; i < 20; ++i) {
    const MarkedPicture picture = movedOnto(real, evenGround(200), rngOf(3, i));
    const auto inside = picture.mask.sum().item<int64_t>();
    EXPECT(inside > side * side / 5 && inside < side * side * 3);
    const at::Tensor off =
        (picture.image - 200 / 255.0).abs().amax(0).masked_select(augment::softened(picture.mask) == 0);
    EXPECT(off.numel() > 0 && off.max().item<double>() < 1e-5);
    EXPECT(picture.image.mean(0).masked_select(picture.mask).mean().item<double>() < 0.5);
    places = places + picture.mask.to(at::kFloat);
  }
  EXPECT((places > 0).sum().item<int64_t>() > 2 * side * side);
}

DAN_TEST(a_moved_defect_is_not_bent) {
  for (int64_t i = 0; i < 20; ++i) {
    Rng rng = rngOf(9, i);
    const at::Tensor mask = augment::moved(boxed(32), rng).mask, columns = mask.any(0).nonzero().squeeze(1);
    const at::Tensor inner = columns.slice(0, 3, columns.size(0) - 3);  // The corners are left out.
    const at::Tensor first = mask.index_select(1, inner).to(at::kFloat).argmax(0).to(at::kDouble);
    const at::Tensor x = inner.to(at::kDouble) - inner.to(at::kDouble).mean(), y = first - first.mean();
    const at::Tensor line = x * (x * y).sum() / (x * x).sum();
    EXPECT((y - line).abs().max().item<double>() < 1);  // Rows are integers.
  }
}

DAN_TEST(a_moved_defect_still_reaches_the_edges_that_cut_it_off) {
  // The defect is the lowest rows, from side to side.
  const MarkedPicture real = {at::full({3, kAugmentSide, kAugmentSide}, 60 / 255.),
                              at::zeros({kAugmentSide, kAugmentSide}, at::kBool)};
  real.image.narrow(1, 40, 24).copy_(ramp(24));
  real.mask.narrow(0, 40, 24).fill_(true);
  at::Tensor heights = at::zeros({40});
  for (int64_t i = 0; i < 40; ++i) {
    const MarkedPicture picture = movedOnto(real, evenGround(60), rngOf(10, i));
    EXPECT(picture.mask[kAugmentSide - 1].all().item<bool>() && !picture.mask[0].any().item<bool>());
    const at::Tensor row = picture.image.mean(0)[kAugmentSide - 2];
    for (const int64_t first : {int64_t{0}, kAugmentSide - 3}) EXPECT(spanOf(row.narrow(0, first, 3)) > 0.5 / 255);
    heights[i] = picture.mask.any(1).sum().to(at::kFloat);
  }
  EXPECT(heights.std().item<double>() > 2);
}

DAN_TEST(a_defect_that_covers_all_has_the_light_of_the_new_ground) {
  for (int64_t i = 0; i < 10; ++i) {
    const MarkedPicture picture = movedOnto(boxed(kAugmentSide), evenGround(200), rngOf(11, i));
    EXPECT(picture.mask.all().item<bool>());
    EXPECT((picture.image * 255 - 200).abs().max().item<double>() < 1);
  }
}

DAN_TEST(a_moved_defect_stands_out_more_than_in_its_own_picture) {
  const double difference = 20;
  double mean = 0;
  constexpr int64_t kCount = 20;
  for (int64_t i = 0; i < kCount; ++i) {
    const MarkedPicture picture = movedOnto(boxed(24, 120 - difference), evenGround(120), rngOf(12, i));
    const double level = picture.image.mean(0).masked_select(picture.mask).median().item<double>() * 255;
    // The surroundings of the moved defect are a little darker than the ground, because its edge is resampled.
    EXPECT(120 - level > 1.2 * difference && 120 - level < 2.2 * difference);
    mean += (120 - level) / kCount;
  }
  EXPECT(mean > 1.5 * difference && mean < 2 * difference);
}

DAN_TEST(a_picture_that_is_photographed_again_keeps_its_ground_and_its_defect) {
  for (int64_t i = 0; i < 10; ++i) {
    Rng rng = rngOf(4, i);
    const MarkedPicture picture = augment::withJitter(boxed(16), rng);
    const at::Tensor grey = picture.image.mean(0) * 255, soft = augment::softened(picture.mask);
    const at::Tensor ground = grey.masked_select(soft == 0), defect = grey.masked_select(picture.mask);
    EXPECT((ground - 120).abs().max().item<double>() < 1e-2);
    EXPECT(std::abs(defect.median().item<double>() - 20) < 1);
    const auto area = picture.mask.sum().item<int64_t>();
    EXPECT(area > 16 * 16 * 0.75 && area < 16 * 16 * 1.7);
  }
}

DAN_TEST(a_picture_that_is_photographed_again_is_mirrored_where_it_ends) {
  const MarkedPicture real = {ramp(kAugmentSide), boxed(16).mask};
  for (int64_t i = 0; i < 200; ++i) {
    Rng rng = rngOf(4, i);
    const at::Tensor middle = augment::withJitter(real, rng).image.mean(0)[kAugmentSide / 2];
    for (const int64_t first : {int64_t{0}, kAugmentSide - 3}) EXPECT(spanOf(middle.narrow(0, first, 3)) > 0.25 / 255);
  }
}

DAN_TEST(a_picture_that_is_photographed_again_stays_as_sharp) {
  // Bilinear resampling would reduce this fine grain to two thirds.
  const auto roughness = [](const at::Tensor& picture) {
    const at::Tensor middle = picture.narrow(1, 8, kAugmentSide - 16).narrow(2, 8, kAugmentSide - 16);
    return (middle.diff(1, 2).abs().mean() / middle.mean()).item<double>();
  };
  const MarkedPicture smooth = boxed(16);
  const at::Tensor grain =
      at::avg_pool2d(at::randn({1, 1, kAugmentSide + 1, kAugmentSide + 1}, makeGenerator(6)), 2, 1)[0];
  const MarkedPicture real = {(smooth.image + 30 / 255. * grain).clamp(0, 1), smooth.mask};
  double after = 0;
  for (int64_t i = 0; i < 40; ++i) {
    Rng rng = rngOf(6, i);
    after += roughness(augment::withJitter(real, rng).image) / 40;
  }
  EXPECT(after > 0.8 * roughness(real.image) && after < 1.1 * roughness(real.image));
}

DAN_TEST(a_pasted_defect_has_hard_edges_and_its_own_colours_and_is_turned_by_quarters) {
  // The defect is twice as long as wide. One half has level 20, and the other has level 100.
  const MarkedPicture real = {at::full({3, kAugmentSide, kAugmentSide}, 120 / 255.),
                              at::zeros({kAugmentSide, kAugmentSide}, at::kBool)};
  real.image.narrow(1, 20, 16).narrow(2, 20, 4).fill_(20 / 255.);
  real.image.narrow(1, 20, 16).narrow(2, 24, 4).fill_(100 / 255.);
  real.mask.narrow(0, 20, 16).narrow(1, 20, 8).fill_(true);
  at::Tensor places = at::zeros({kAugmentSide, kAugmentSide});
  int64_t lying = 0;  // About as many defects lie as stand.
  for (int64_t i = 0; i < 60; ++i) {
    Rng rng = rngOf(6, i);
    const MarkedPicture onto = {evenGround(200), at::zeros({kAugmentSide, kAugmentSide}, at::kBool)};
    augment::cropPaste(real, onto, rng);
    const at::Tensor grey = onto.image.mean(0) * 255, defect = grey.masked_select(onto.mask);
    EXPECT(((grey - 200).abs() > 0.01).equal(onto.mask));
    EXPECT(defect.min().item<double>() > 19.9 && defect.max().item<double>() < 100.1);
    EXPECT(std::abs(defect.mean().item<double>() - 60) < 5);
    const int64_t rows = onto.mask.any(1).sum().item<int64_t>(), columns = onto.mask.any(0).sum().item<int64_t>();
    EXPECT(std::max(rows, columns) >= 12 && std::max(rows, columns) <= 20);
    EXPECT(std::min(rows, columns) >= 6 && std::min(rows, columns) <= 10);
    lying += columns > rows ? 1 : 0;
    places = places + onto.mask.to(at::kFloat);
  }
  EXPECT(lying > 15 && lying < 45);
  EXPECT((places > 0).to(at::kFloat).mean().item<double>() > 0.5);
}

DAN_TEST(an_augmenter_draws_the_same_picture_for_an_index_whatever_it_drew_before) {
  const augment::Augmenter augmenter(defectPool(boxed(24)), goodPool(200), 3),
      other(defectPool(boxed(24)), goodPool(200), 4);
  const MarkedPicture first = augmenter.draw(7);
  EXPECT(!at::equal(augmenter.draw(8).image, first.image) && !at::equal(other.draw(7).image, first.image));
  EXPECT(at::equal(augmenter.draw(7).image, first.image) && at::equal(augmenter.draw(7).mask, first.mask));
}

DAN_TEST(an_augmenter_pastes_three_quarters_and_leaves_other_small_defects_in_their_own_pictures) {
  // Good pictures have a blue ground, and pictures with defects a red one. Both are so dark that no light clips them.
  const auto good = emptyPool();
  good->images.push_back(at::tensor({20, 20, 90}, at::kByte).expand({kAugmentSide, kAugmentSide, 3}).contiguous());
  for (const int64_t side : {8, 24}) {  // The defects are small and large.
    MarkedPicture real = boxed(side, 20, 90);
    real.image.narrow(0, 1, 2).fill_(20 / 255.);
    const augment::Augmenter augmenter(defectPool(real), good, 5);
    int64_t own = 0;
    constexpr int64_t kCount = 200;
    for (int64_t i = 0; i < kCount; ++i) {
      const MarkedPicture picture = augmenter.draw(i);
      EXPECT(picture.mask.any().item<bool>() && !picture.mask.all().item<bool>());
      const at::Tensor off = augment::softened(picture.mask) == 0;
      const double red = picture.image[0].masked_select(off).mean().item<double>();
      const double blue = picture.image[2].masked_select(off).mean().item<double>();
      EXPECT(std::max(red, blue) > 3 * std::min(red, blue));  // Grounds are never mixed.
      own += red > blue ? 1 : 0;
    }
    EXPECT(side == 8 ? own > 30 && own < 70 : own == 0);
  }
}

DAN_TEST(an_augmenter_never_loses_a_defect_of_one_pixel) {
  const augment::Augmenter augmenter(defectPool(boxed(1)), goodPool(200), 7);
  for (int64_t i = 0; i < 60; ++i) EXPECT(augmenter.draw(i).mask.any().item<bool>());
}

DAN_TEST(an_augmented_pairs_part_is_its_image_inside_the_mask_and_the_fill_outside) {
  const augment::Augmenter augmenter(defectPool(boxed(24)), goodPool(200), 3);
  for (const PartFill fill : {PartFill::kGrey, PartFill::kBlack}) {
    const auto pairs = augmenter.pairs({4, 2}, fill, Task());
    EXPECT(pairs.size() == 2 && pairs[0].index == 4 && pairs[1].index == 2);
    for (const augment::AugmentedPair& pair : pairs) {
      const at::Tensor inside = (pair.mask == 255).unsqueeze(2);
      EXPECT(((pair.mask == 255) | (pair.mask == 0)).all().item<bool>());
      EXPECT(at::equal(pair.part, at::where(inside, pair.image, fill == PartFill::kGrey ? 128 : 0).to(at::kByte)));
      EXPECT(at::equal(pair.mask != 0, augmenter.draw(pair.index).mask));
    }
  }
  Task task;
  task.cancel();
  expectError([&] { augmenter.pairs({0}, PartFill::kGrey, task); }, "aborted");
}

DAN_TEST(an_augmenter_refuses_pools_that_it_cannot_draw_from) {
  const augment::Pool defects = defectPool(boxed(8)), good = goodPool(9);
  const MarkedPicture blank = {evenGround(0), at::zeros({kAugmentSide, kAugmentSide}, at::kBool)};
  expectError([&] { augment::Augmenter(defectPool(blank), good, 0); }, "one of them is empty");
  expectError([&] { augment::Augmenter(emptyPool(), good, 0); }, "needs real images of defects");
  expectError([&] { augment::Augmenter(defects, emptyPool(), 0); }, "needs good images");
  auto large = emptyPool();
  large->height = large->width = 2 * kAugmentSide;
  large->images.push_back(at::zeros({2 * kAugmentSide, 2 * kAugmentSide, 3}, at::kByte));
  expectError([&] { augment::Augmenter(defects, large, 0); }, "Expected good images of 64 x 64");
}

}  // namespace dan::tests
