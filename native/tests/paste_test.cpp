// These tests are about the masks of placed defects, pasting them back, and moving real ones.
#include <cmath>
#include <tuple>

#include "core/random.h"
#include "place/move_defect.h"
#include "place/paste_back.h"
#include "place/placed_mask.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kPasteSide = 64;

}  // namespace

DAN_TEST(the_mask_covers_the_visible_change_and_no_more) {
  place::DrawnDefect drawn{at::full({kPasteSide, kPasteSide, 3}, 128, at::kByte), 127.5,
                           at::zeros({kPasteSide, kPasteSide, 3}), at::ones({kPasteSide, kPasteSide}, at::kBool)};
  const auto mark = [](at::Tensor x, int64_t top, int64_t left, int64_t height, int64_t width, double value) {
    x.slice(0, top, top + height).slice(1, left, left + width).fill_(value);
  };
  EXPECT(!place::placedMask(drawn).any().item<bool>());
  // A scratch of one pixel that the part shows, a stain that only the change shows, because it is as light as the blank
  // part, and a speck.
  mark(drawn.part, 10, 5, 1, 40, 30);
  mark(drawn.change, 10, 5, 1, 40, -0.2);
  mark(drawn.change, 30, 30, 12, 12, 0.2);
  mark(drawn.change, 34, 34, 4, 4, 0.5);
  mark(drawn.change, 55, 55, 1, 1, 0.9);
  // A faint change far from everything, and one that nobody sees.
  mark(drawn.change, 50, 5, 6, 6, 0.12);
  mark(drawn.change, 0, 0, 5, 64, 0.06);
  at::Tensor expected = at::zeros({kPasteSide, kPasteSide}, at::kByte);
  mark(expected, 10, 5, 1, 40, 255);
  mark(expected, 30, 30, 12, 12, 255);
  const at::Tensor found = place::placedMask(drawn);
  // The ends of the scratch and the corners of the stain may be missing, but nothing else is marked.
  EXPECT(!found.masked_select(expected == 0).any().item<bool>());
  EXPECT((expected != found).sum().item<int64_t>() <= 2 + 4);
  drawn.place.slice(1, 36, 64).fill_(false);
  EXPECT(!place::placedMask(drawn).slice(1, 36, 64).any().item<bool>());
}

DAN_TEST(the_mask_has_no_narrow_gaps) {
  const at::Tensor blank = at::full({kPasteSide, kPasteSide, 3}, 128, at::kByte);
  at::Tensor change = at::zeros({kPasteSide, kPasteSide, 3});
  change.slice(0, 10, 40).slice(1, 20, 26).fill_(-0.6);
  at::Tensor expected = (change != 0).any(-1);
  change.slice(0, 20, 23).fill_(0);                      // The ground across the defect is as dark as the defect.
  change.slice(0, 30, 32).slice(1, 22, 24).fill_(0);     // A hole.
  change.slice(0, 50, 60).slice(1, 20, 26).fill_(-0.6);  // Another defect is too far away to be joined.
  expected.slice(0, 50, 60).slice(1, 20, 26).fill_(true);
  const at::Tensor part = at::where(change != 0, at::full_like(blank, 40), blank);
  const at::Tensor mask = place::placedMask({part, 127.5, change, at::ones({kPasteSide, kPasteSide}, at::kBool)}) != 0;
  EXPECT(mask.equal(expected));
}

DAN_TEST(the_mask_of_a_placed_defect_has_no_small_holes) {
  const at::Tensor part = at::full({kPasteSide, kPasteSide, 3}, 128, at::kByte);
  at::Tensor change = at::zeros({kPasteSide, kPasteSide, 3}), dark = part.clone();
  for (const auto& [first, side, isMarked] : {std::tuple(10, 40, true), std::tuple(24, 9, false)}) {
    change.slice(0, first, first + side).slice(1, first, first + side).fill_(isMarked ? 1 : 0);
    dark.slice(0, first, first + side).slice(1, first, first + side).fill_(isMarked ? 40 : 128);
  }
  at::Tensor place = at::ones({kPasteSide, kPasteSide}, at::kBool);
  const auto marked = [&] { return place::placedMask({dark, 127.5, change, place}) != 0; };
  EXPECT(marked().slice(0, 12, 48).slice(1, 12, 48).all().item<bool>());
  place[28][28] = false;  // Nothing can be drawn here.
  EXPECT(!marked()[28][28].item<bool>());
}

DAN_TEST(the_mask_leaves_out_small_regions_that_are_weak) {
  const at::Tensor part = at::full({kPasteSide, kPasteSide, 3}, 128, at::kByte);
  at::Tensor change = at::zeros({kPasteSide, kPasteSide, 3}), dark = part.clone();
  const auto mark = [&](int64_t top, int64_t left, int64_t side, double value) {
    change.slice(0, top, top + side).slice(1, left, left + side).fill_(2 * value);
    dark.slice(0, top, top + side).slice(1, left, left + side).fill_(40);
  };
  mark(4, 4, 24, 0.5);
  mark(50, 5, 3, 0.1);   // 9 pixels are less than 2 % of 576.
  mark(50, 20, 3, 0.3);  // These are as few, but one sees them.
  mark(50, 40, 4, 0.1);  // These are faint, but more.
  const at::Tensor mask = place::placedMask({dark, 127.5, change, at::ones({kPasteSide, kPasteSide}, at::kBool)});
  const auto isMarked = [&](int64_t y, int64_t x) { return mask[y][x].item<int64_t>() == 255; };
  EXPECT(isMarked(15, 15) && !isMarked(51, 6) && isMarked(51, 21) && isMarked(51, 41));
}

DAN_TEST(the_mask_leaves_out_the_redrawn_ground_beside_a_defect) {
  const at::Tensor part = at::full({kPasteSide, kPasteSide, 3}, 128, at::kByte);
  at::Tensor change = at::zeros({kPasteSide, kPasteSide, 3});
  change.slice(0, 4, 20).slice(1, 4, 20).fill_(1);
  // The ground is redrawn beside the defect. A faint defect that is further away remains.
  change.slice(0, 4, 20).slice(1, 26, 32).fill_(0.2);
  change.slice(0, 50, 62).slice(1, 26, 32).fill_(0.2);
  const at::Tensor dark = at::where(change != 0, at::full_like(part, 40), part);
  const at::Tensor mask = place::placedMask({dark, 127.5, change, at::ones({kPasteSide, kPasteSide}, at::kBool)}) != 0;
  EXPECT(mask[10][10].item<bool>() && !mask.slice(0, 4, 20).slice(1, 24, 40).any().item<bool>());
  EXPECT(mask[55][29].item<bool>());
}

DAN_TEST(pasting_adds_the_change_inside_the_soft_mask_only) {
  const at::Tensor photograph = at::full({kPasteSide, kPasteSide, 1}, 100, at::kByte);
  at::Tensor change = at::full({32, 32, 3}, 0.4), mask = at::zeros({32, 32}, at::kByte);
  change.select(2, 0).fill_(1);  // The mean of the channels is 0.6, which is 76.5 levels.
  mask.slice(0, 8, 16).slice(1, 8, 16).fill_(255);
  const auto pasted = place::pasteBack(photograph, change, mask);
  EXPECT(pasted.image.sizes() == photograph.sizes() &&
         pasted.mask.sizes() == at::IntArrayRef({kPasteSide, kPasteSide}));
  at::Tensor expected = at::zeros({kPasteSide, kPasteSide}, at::kByte);
  expected.slice(0, 16, 32).slice(1, 16, 32).fill_(255);
  EXPECT(pasted.mask.equal(expected));
  const at::Tensor image = pasted.image.squeeze(-1);
  EXPECT((image.masked_select(expected != 0) == 176)
             .logical_or(image.masked_select(expected != 0) == 177)
             .all()
             .item<bool>());
  EXPECT(image[20][33].item<int64_t>() < 176 && image[20][33].item<int64_t>() > 100);
  EXPECT(image[20][34].item<int64_t>() == 100 && image[13][20].item<int64_t>() == 100);
  EXPECT(std::abs(pasted.contrast - 77 / 255.) < 1.5 / 255);
  // An even photograph counts as if its standard deviation were a hundredth of the range.
  EXPECT(std::abs(pasted.contrastToNoise - 76.5 / 255 / 0.01) < 0.3);
  // The soft border of two pixels has changed visibly, too.
  EXPECT(std::abs(pasted.fit - 256. / (20 * 20)) < 0.02);
  const auto nothing = place::pasteBack(photograph, change, at::zeros_like(mask));
  EXPECT(nothing.image.equal(photograph) && nothing.contrast == 0 && nothing.fit == 0);
}

DAN_TEST(contrast_to_noise_compares_a_change_with_the_ground_nearby) {
  // Stripes of 90 and 110 near the defect have a standard deviation of 10. Darker ones are far away.
  at::Tensor photograph = at::full({kPasteSide, kPasteSide, 1}, 90, at::kByte);
  photograph.slice(1, 0, kPasteSide, 2).fill_(110);
  photograph.slice(0, 40).slice(1, 0, kPasteSide, 4).fill_(0);
  at::Tensor mask = at::zeros({kPasteSide, kPasteSide}, at::kByte);
  mask.slice(0, 10, 20).slice(1, 10, 20).fill_(255);
  const at::Tensor change = at::full({kPasteSide, kPasteSide, 3}, 2 * 25 / 255.);  // 25 levels
  EXPECT(std::abs(place::pasteBack(photograph, change, mask).contrastToNoise - 2.5) < 1e-3);
}

DAN_TEST(a_defect_is_moved_into_a_box) {
  at::Tensor image = at::full({kPasteSide, kPasteSide, 3}, 200, at::kByte),
             mask = at::zeros({kPasteSide, kPasteSide}, at::kByte);
  image.slice(0, 30, 33).slice(1, 10, 40).fill_(20);
  mask.slice(0, 30, 33).slice(1, 10, 40).fill_(255);
  const auto expectIn = [&](const augment::Box& box) {
    const auto moved = place::moveDefect(image, mask, {1, box});
    const auto found = augment::boundingBox(moved.mask != 0);
    EXPECT(found.height >= 1 && found.top >= box.top && found.left >= box.left);
    EXPECT(found.top + found.height <= box.top + box.height && found.left + found.width <= box.left + box.width);
    const at::Tensor inside = moved.image.select(2, 0).masked_select(moved.mask != 0).to(at::kFloat);
    const at::Tensor outside = moved.image.select(2, 0).masked_select(moved.mask == 0).to(at::kFloat);
    EXPECT(inside.mean().item<double>() < outside.mean().item<double>());
    return found;
  };
  const auto wide = expectIn({5, 20, 15, 20});
  EXPECT(wide.width >= 18 && wide.height <= 4);
  const auto tall = expectIn({2, 50, 60, 10});
  EXPECT(tall.height > tall.width && tall.height >= 45);
  expectIn({63, 63, 1, 1});
  expectIn({0, 0, 64, 64});
  for (const augment::Box& box : {augment::Box{0, 0, 65, 1}, {-1, 0, 2, 2}, {0, 0, 0, 5}, {60, 60, 5, 4}}) {
    expectError([&] { place::moveDefect(image, mask, {1, box}); }, "a box inside the window of 64 x 64");
  }
}

DAN_TEST(a_moved_defect_does_not_vanish_and_follows_its_seed) {
  const at::Tensor image = at::randint(0, 256, {kPasteSide, kPasteSide, 3}, makeGenerator(1), at::kByte);
  at::Tensor mask = at::zeros({kPasteSide, kPasteSide}, at::kByte);
  mask[40][50] = 1;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    EXPECT(place::moveDefect(image, mask, {seed}).mask.any().item<bool>());
  }
  EXPECT(place::moveDefect(image, mask, {3}).image.equal(place::moveDefect(image, mask, {3}).image));
  EXPECT(!place::moveDefect(image, mask, {3}).image.equal(place::moveDefect(image, mask, {4}).image));
  expectError([&] { place::moveDefect(image, at::zeros_like(mask), {1}); }, "a mask that marks a defect");
}

DAN_TEST(a_defect_turns_by_its_angle) {
  const double quarter = std::acos(-1.) / 2;
  at::Tensor image = at::full({kPasteSide, kPasteSide, 3}, 200, at::kByte),
             mask = at::zeros({kPasteSide, kPasteSide}, at::kByte);
  // A bar with a wide end on its right, like a nail. Its middle is that of the picture.
  const auto draw = [&](int64_t top, int64_t left, int64_t height, int64_t width) {
    mask.slice(0, top, top + height).slice(1, left, left + width).fill_(1);
    image.slice(0, top, top + height).slice(1, left, left + width).fill_(40);
  };
  draw(30, 12, 4, 24);
  draw(26, 36, 12, 8);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto straight = place::moveDefect(image, mask, {seed, {}, 0});
    const auto box = augment::boundingBox(straight.mask != 0);
    EXPECT(box.width > 3 * box.height / 2);
    // The wide end stays on the right, because nothing is flipped.
    EXPECT(straight.mask.slice(1, box.left + box.width / 2).sum().item<int64_t>() >
           straight.mask.slice(1, 0, box.left + box.width / 2).sum().item<int64_t>());
    const auto down = place::moveDefect(image, mask, {seed, {}, quarter});
    const auto upright = augment::boundingBox(down.mask != 0);
    EXPECT(upright.height > 3 * upright.width / 2);
    EXPECT(down.mask.slice(0, upright.top + upright.height / 2).sum().item<int64_t>() >
           down.mask.slice(0, 0, upright.top + upright.height / 2).sum().item<int64_t>());
    // A picture that was turned by PyTorch and is turned back equals one that was not turned.
    for (int64_t turns = 1; turns <= 4; ++turns) {
      const auto turnedBack =
          place::moveDefect(at::rot90(image, turns).contiguous(), at::rot90(mask, turns).contiguous(),
                            {seed, {}, static_cast<double>(turns) * quarter});
      EXPECT((turnedBack.mask != straight.mask).sum().item<int64_t>() <= 2);
      EXPECT((turnedBack.image.to(at::kInt) - straight.image.to(at::kInt)).abs().max().item<int64_t>() <= 1);
    }
  }
}

DAN_TEST(a_turned_defect_ends_where_its_picture_ends) {
  const at::Tensor image = at::full({kPasteSide, kPasteSide, 3}, 200, at::kByte);
  at::Tensor mask = at::zeros({kPasteSide, kPasteSide}, at::kByte);
  mask.slice(0, 28, 36).fill_(1);  // This band reaches both edges.
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const at::Tensor turned = place::moveDefect(image, mask, {seed, {}, 0.8}).mask != 0;
    EXPECT(turned.any().item<bool>());
    EXPECT(turned.sum().item<int64_t>() < 8 * kPasteSide * 1.4 * 1.4 * 1.25 + kPasteSide);
    EXPECT(!turned.slice(0, 0, 8).slice(1, kPasteSide - 8).any().item<bool>());
  }
  for (const double angle : {std::nan(""), HUGE_VAL}) {
    expectError([&] { place::moveDefect(image, mask, {1, {}, angle}); }, "a finite angle");
  }
  expectError([&] { place::moveDefect(image, mask, {1, augment::Box{0, 0, 9, 9}, 1.0}); }, "no angle with a box");
}

}  // namespace dan::tests
