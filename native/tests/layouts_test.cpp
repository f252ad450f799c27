// Variations of real pairs: where they start, and that nothing but the defect changes.
#include "sample/layouts.h"

#include <cmath>

#include "core/random.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kSide = 64;

std::shared_ptr<PixelPool> emptyPool() {
  auto pool = std::make_shared<PixelPool>();
  pool->height = pool->width = kSide;
  return pool;
}

// Even grounds of level 120 with a box of `level` and `side` pixels in the middle.
Pool defectPool(int64_t side, int64_t level = 20) {
  auto pool = emptyPool();
  at::Tensor image = at::full({kSide, kSide, 3}, 120, at::kByte), mask = at::zeros({kSide, kSide}, at::kByte);
  const int64_t first = (kSide - side) / 2;
  image.narrow(0, first, side).narrow(1, first, side).fill_(level);
  mask.narrow(0, first, side).narrow(1, first, side).fill_(255);
  pool->images.push_back(image);
  pool->masks.push_back(mask);
  return pool;
}

Pool goodPool(int64_t level) {
  auto pool = emptyPool();
  pool->images.push_back(at::full({kSide, kSide, 3}, level, at::kByte));
  return pool;
}

// Connected regions, diagonal neighbours included.
int64_t countRegions(at::Tensor mask) {
  int64_t count = 0;
  for (; mask.any().item<bool>(); ++count) {
    at::Tensor region = at::zeros_like(mask), grown = region.clone();
    const at::Tensor first = mask.nonzero()[0];
    grown.index_put_({first[0], first[1]}, at::ones({}, at::kBool));
    while (!at::equal(region, grown)) {
      region = grown;
      grown = (at::max_pool2d(region.to(at::kFloat).unsqueeze(0), 3, 1, 1)[0] > 0) & mask;
    }
    mask = mask & ~region;
  }
  return count;
}

}  // namespace

DAN_TEST(layouts_move_a_defect_onto_a_good_ground) {
  for (const int64_t side : {8, 24}) {  // small, and large
    const sample::Layouts layouts(defectPool(side), goodPool(200), {0.0, 0.0, 3});
    at::Tensor places = at::zeros({kSide, kSide});
    for (int64_t i = 0; i < 20; ++i) {
      const sample::Layout layout = layouts.draw(i);
      const at::Tensor& mask = layout.mask;
      const auto inside = mask.sum().item<int64_t>();
      EXPECT(inside > side * side / 5 && inside < side * side * 3);
      // Off the defect and its soft border, the good picture; inside, darker by about the same share.
      const at::Tensor off = (layout.image - 200 / 255.0).abs().amax(0).masked_select(sample::softened(mask) == 0);
      EXPECT(off.numel() > 0 && off.max().item<double>() < 1e-5);
      EXPECT(layout.image.mean(0).masked_select(mask).mean().item<double>() < 0.5);
      places = places + mask.to(at::kFloat);
    }
    EXPECT((places > 0).sum().item<int64_t>() > 2 * side * side);
    EXPECT(at::equal(layouts.draw(7).image, layouts.draw(7).image));
    EXPECT(!at::equal(layouts.draw(7).image, layouts.draw(8).image));
  }
}

DAN_TEST(layouts_keep_own_pictures_where_asked) {
  const Pool defects = defectPool(16);
  const sample::Layouts layouts(defects, goodPool(200), {1.0, 0.0, 4});
  for (int64_t i = 0; i < 10; ++i) {
    const sample::Layout layout = layouts.draw(i);
    const at::Tensor grey = layout.image.mean(0), soft = sample::softened(layout.mask);
    const at::Tensor ground = grey.masked_select(soft == 0) * 255 / 120, defect = grey.masked_select(layout.mask);
    const double light = ground.mean().item<double>();
    EXPECT(light > 0.79 && light < 1.26 && (ground.max() - ground.min()).item<double>() < 1e-4);
    EXPECT(std::abs(defect.median().item<double>() * 255 - 20 * light) < 1);
    const auto area = layout.mask.sum().item<int64_t>();
    EXPECT(area > 16 * 16 * 0.75 && area < 16 * 16 * 1.7);
  }
  const sample::Layouts alone(defects, emptyPool(), {0.0, 0.0, 4});  // no good pictures: nowhere to move
  EXPECT(alone.draw(0).image.max().item<double>() < 120 / 255.0 * 1.26);
}

DAN_TEST(layouts_mirror_own_pictures_where_they_end) {
  // A ground that grows lighter by two levels a pixel goes on changing beyond its edge, where a repeated edge is even.
  auto ramp = emptyPool();
  at::Tensor mask = at::zeros({kSide, kSide}, at::kByte);
  mask.narrow(0, 24, 16).narrow(1, 24, 16).fill_(255);
  ramp->images.push_back((60 + 2 * at::arange(kSide)).to(at::kByte).view({1, -1, 1}).expand({kSide, kSide, 3}));
  ramp->masks.push_back(mask);
  const sample::Layouts layouts(ramp, goodPool(200), {1.0, 0.0, 4});
  for (int64_t i = 0; i < 200; ++i) {
    const at::Tensor picture = layouts.draw(i).image.mean(0);
    for (const int64_t first : {int64_t{0}, kSide - 3}) {
      const at::Tensor edge = picture.narrow(0, kSide / 2, 1).narrow(1, first, 3);
      EXPECT((edge.max() - edge.min()).item<double>() > 0.25 * 2 / 255);
    }
  }
}

DAN_TEST(layouts_stay_as_sharp_as_photographs) {
  // Fine grain under a large defect: what moves it blurs it, bilinear to two thirds.
  const auto roughness = [](const at::Tensor& picture) {
    const at::Tensor middle = picture.narrow(1, 8, kSide - 16).narrow(2, 8, kSide - 16);
    return (middle.diff(1, 2).abs().mean() / middle.mean()).item<double>();
  };
  const Pool smooth = defectPool(16);
  auto defects = emptyPool();
  const at::Tensor grain = at::avg_pool2d(at::randn({1, 1, kSide + 1, kSide + 1}, makeGenerator(6)), 2, 1)[0][0];
  defects->images.push_back((smooth->images[0] + 30 * grain.unsqueeze(2)).clamp(0, 255).to(at::kByte));
  defects->masks = smooth->masks;
  const double before = roughness(toPicture(defects->images[0]));
  const sample::Layouts layouts(defects, emptyPool(), {1.0, 1.0, 6});
  double after = 0;
  for (int64_t i = 0; i < 40; ++i) after += roughness(layouts.draw(i).image) / 40;
  EXPECT(after > 0.8 * before && after < 1.1 * before);
}

DAN_TEST(layouts_put_one_defect_on_a_picture) {
  const sample::Layouts moved(defectPool(4), goodPool(200), {1.0, 0.0, 5}),
      pasted(defectPool(4), goodPool(200), {1.0, 1.0, 5, 1.0, 1.0}), own(defectPool(4), goodPool(200), {0.0, 1.0, 5}),
      large(defectPool(16), goodPool(200), {0.0, 0.0, 5, 0.5});
  for (const sample::Layouts* layouts : {&moved, &pasted, &own, &large}) {
    for (int64_t i = 0; i < 40; ++i) EXPECT(countRegions(layouts->draw(i).mask) == 1);
  }
}

DAN_TEST(layouts_do_not_bend_large_defects) {
  const sample::Layouts layouts(defectPool(32), goodPool(200), {0.0, 0.0, 9});
  for (int64_t i = 0; i < 20; ++i) {
    const at::Tensor mask = layouts.draw(i).mask, columns = mask.any(0).nonzero().squeeze(1);
    const at::Tensor inner = columns.slice(0, 3, columns.size(0) - 3);  // without the corners
    const at::Tensor first = mask.index_select(1, inner).to(at::kFloat).argmax(0).to(at::kDouble);
    const at::Tensor x = inner.to(at::kDouble) - inner.to(at::kDouble).mean(), y = first - first.mean();
    const at::Tensor line = x * (x * y).sum() / (x * x).sum();
    EXPECT((y - line).abs().max().item<double>() < 1);  // rows are whole
  }
}

DAN_TEST(layouts_keep_large_defects_at_the_edges_that_cut_them_off) {
  // Of the lowest rows, from side to side, and lighter by two levels a column: a repeated edge would be even.
  auto pool = emptyPool();
  at::Tensor image = at::full({kSide, kSide, 3}, 60, at::kByte), mask = at::zeros({kSide, kSide}, at::kByte);
  image.narrow(0, 40, 24).copy_((60 + 2 * at::arange(kSide)).to(at::kByte).view({1, -1, 1}).expand({24, kSide, 3}));
  mask.narrow(0, 40, 24).fill_(255);
  pool->images.push_back(image);
  pool->masks.push_back(mask);
  const sample::Layouts layouts(pool, goodPool(60), {0.0, 0.0, 10});
  at::Tensor heights = at::zeros({40});
  for (int64_t i = 0; i < 40; ++i) {
    const sample::Layout layout = layouts.draw(i);
    const bool low = layout.mask[kSide - 1][kSide / 2].item<bool>();
    const at::Tensor edge = layout.mask[low ? kSide - 1 : 0];  // half of them are flipped
    EXPECT(edge.all().item<bool>());
    EXPECT(!layout.mask[low ? 0 : kSide - 1].any().item<bool>());
    const at::Tensor row = layout.image.mean(0)[low ? kSide - 2 : 1];
    for (const int64_t first : {int64_t{0}, kSide - 3}) {
      const at::Tensor end = row.narrow(0, first, 3);
      EXPECT((end.max() - end.min()).item<double>() > 0.5 * 2 / 255);
    }
    heights[i] = layout.mask.any(1).sum().to(at::kFloat);
  }
  EXPECT(heights.std().item<double>() > 2);
}

DAN_TEST(layouts_keep_the_light_where_a_defect_covers_all) {
  const sample::Layouts layouts(defectPool(kSide), goodPool(200), {0.0, 0.0, 11});
  for (int64_t i = 0; i < 10; ++i) {
    const sample::Layout layout = layouts.draw(i);
    EXPECT(layout.mask.all().item<bool>());
    EXPECT((layout.image * 255 - 200).abs().max().item<double>() < 1);  // an even defect, at the new ground's level
  }
}

DAN_TEST(layouts_paste_where_asked) {
  // Of level 20 and 100 by halves: pasted as they are, upright and with hard edges, where nothing is blended.
  auto pool = emptyPool();
  at::Tensor image = at::full({kSide, kSide, 3}, 120, at::kByte), mask = at::zeros({kSide, kSide}, at::kByte);
  image.narrow(0, 20, 16).narrow(1, 20, 4).fill_(20);
  image.narrow(0, 20, 16).narrow(1, 24, 4).fill_(100);
  mask.narrow(0, 20, 16).narrow(1, 20, 8).fill_(255);
  pool->images.push_back(image);
  pool->masks.push_back(mask);
  const sample::Layouts layouts(pool, goodPool(200), {1.0, 1.0, 6, 1.0});
  at::Tensor places = at::zeros({kSide, kSide});
  for (int64_t i = 0; i < 60; ++i) {
    const sample::Layout layout = layouts.draw(i);
    const at::Tensor grey = layout.image.mean(0) * 255;
    EXPECT(((grey - 200).abs() > 0.01).equal(layout.mask));
    const at::Tensor defect = grey.masked_select(layout.mask);
    EXPECT(defect.min().item<double>() > 19.9 && defect.max().item<double>() < 100.1);
    EXPECT(std::abs(defect.mean().item<double>() - 60) < 5);
    const int64_t rows = layout.mask.any(1).sum().item<int64_t>(), columns = layout.mask.any(0).sum().item<int64_t>();
    EXPECT(rows >= 12 && rows <= 20 && columns >= 6 && columns <= 10);
    places = places + layout.mask.to(at::kFloat);
  }
  EXPECT((places > 0).to(at::kFloat).mean().item<double>() > 0.5);
  const sample::Layouts half(pool, goodPool(200), {1.0, 1.0, 6, 0.5}), none(pool, emptyPool(), {1.0, 1.0, 6, 1.0});
  int64_t pasted = 0;  // the others keep their own ground
  for (int64_t i = 0; i < 60; ++i) pasted += half.draw(i).image[0][0][0].item<double>() * 255 > 199 ? 1 : 0;
  EXPECT(pasted > 15 && pasted < 45);
  EXPECT(none.draw(0).image.max().item<double>() < 120 / 255.0 * 1.26);  // nowhere to paste
}

DAN_TEST(layouts_turn_pasted_defects_where_asked) {
  auto pool = emptyPool();
  at::Tensor image = at::full({kSide, kSide, 3}, 120, at::kByte), mask = at::zeros({kSide, kSide}, at::kByte);
  image.narrow(0, 20, 24).narrow(1, 20, 12).fill_(20);
  mask.narrow(0, 20, 24).narrow(1, 20, 12).fill_(255);
  pool->images.push_back(image);
  pool->masks.push_back(mask);
  for (const bool turns : {false, true}) {
    sample::LayoutOptions options;
    options.pasteShare = 1;
    options.pasteTurns = turns;
    const sample::Layouts layouts(pool, goodPool(200), options);
    int64_t lying = 0;  // as many as standing
    for (int64_t i = 0; i < 60; ++i) {
      const sample::Layout layout = layouts.draw(i);
      EXPECT(((layout.image.mean(0) * 255 - 200).abs() > 0.01).equal(layout.mask));
      lying += layout.mask.any(0).sum().item<int64_t>() > layout.mask.any(1).sum().item<int64_t>() ? 1 : 0;
    }
    EXPECT(turns ? lying > 15 && lying < 45 : lying == 0);
  }
}

DAN_TEST(layouts_paste_in_shares_by_size_and_shape) {
  enum Shape { kLarge, kSpeck, kBar, kLine, kBrokenLine, kDiagonal };
  for (const Shape shape : {kLarge, kSpeck, kBar, kLine, kBrokenLine, kDiagonal}) {
    auto pool = emptyPool();
    const at::Tensor image = at::full({kSide, kSide, 3}, 120, at::kByte), mask = at::zeros({kSide, kSide}, at::kByte);
    const auto mark = [&](int64_t row, int64_t column, int64_t rows, int64_t columns) {
      mask.narrow(0, row, rows).narrow(1, column, columns).fill_(255);
    };
    if (shape == kLarge) mark(20, 20, 12, 12);
    if (shape == kSpeck) mark(30, 30, 6, 6);
    if (shape == kBar) mark(30, 20, 3, 30);  // ten times as long as wide
    if (shape == kLine || shape == kBrokenLine) mark(30, 10, 2, 40);
    if (shape == kBrokenLine) mask.narrow(1, 25, 8).zero_();
    if (shape == kDiagonal) {
      for (int64_t i = 10; i < 40; ++i) mark(i, i, 1, 2);
    }
    image.masked_fill_((mask != 0).unsqueeze(2), 20);
    pool->images.push_back(image);
    pool->masks.push_back(mask);
    const auto isPasted = [&](double large, double small, double thin) {
      const sample::Layouts layouts(pool, goodPool(200), {1.0, 1.0, 13, large, small, thin});
      int64_t pasted = 0;  // the others keep their own ground
      for (int64_t i = 0; i < 10; ++i) pasted += layouts.draw(i).image.max().item<double>() * 255 > 199 ? 1 : 0;
      EXPECT(pasted == 0 || pasted == 10);
      return pasted == 10;
    };
    EXPECT(isPasted(1, 0, 0) == (shape == kLarge));
    EXPECT(isPasted(0, 1, 0) == (shape == kSpeck || shape == kBar));
    EXPECT(isPasted(0, 0, 1) == (shape == kLine || shape == kBrokenLine || shape == kDiagonal));
  }
}

DAN_TEST(layouts_paste_a_defect_of_one_pixel) {
  const sample::Layouts layouts(defectPool(1), goodPool(200), {1.0, 1.0, 7, 1.0, 1.0});
  for (int64_t i = 0; i < 40; ++i) EXPECT(layouts.draw(i).mask.any().item<bool>());
}

DAN_TEST(layouts_paste_beside_defects_where_asked) {
  // On an own picture, which may be lighter, beside its defect: all that is marked is dark, and nothing else.
  for (const Pool& good : {goodPool(200), Pool(emptyPool())}) {
    const sample::Layouts layouts(defectPool(12), good, {1.0, 1.0, 12, 1.0, 1.0, 1.0, /*pasteOnDefects=*/true});
    int64_t apart = 0;
    for (int64_t i = 0; i < 40; ++i) {
      const sample::Layout layout = layouts.draw(i);
      const at::Tensor grey = layout.image.mean(0) * 255,
                       ground = grey.masked_select(sample::softened(layout.mask) == 0);
      EXPECT(ground.min().item<double>() > 120 * 0.79 && ground.max().item<double>() < 120 * 1.26);
      EXPECT(grey.masked_select(layout.mask).median().item<double>() < 26);
      const int64_t regions = countRegions(layout.mask);
      EXPECT(regions <= 2);
      apart += regions == 2 ? 1 : 0;
    }
    EXPECT(apart > 15);
  }
}

DAN_TEST(layouts_have_light_of_their_own_where_asked) {
  // Dark enough that light cuts off nothing: all pictures with one defect, moved, pasted and in its own picture.
  const Pool defects = defectPool(24), good = goodPool(80);
  const double spread = 0.2;
  std::vector<at::Tensor> fields;
  for (int64_t i = 0; i < 60; ++i) {
    const sample::Layout plain = sample::Layouts(defects, good, {0.5, 0.5, 8, 0.5}).draw(i);
    const sample::Layout lit =
        sample::Layouts(defects, good, {0.5, 0.5, 8, 0.5, 0.5, 0.5, false, false, spread}).draw(i);
    EXPECT(at::equal(lit.mask, plain.mask));
    const at::Tensor field = (lit.image / plain.image.clamp_min(1e-6)).log().masked_fill(plain.image < 0.01, 0);
    EXPECT((field[0] - field[2]).abs().max().item<double>() < 1e-3);  // without a colour
    const at::Tensor steps = field[0].diff().abs();
    EXPECT(steps.masked_select(plain.image[0].narrow(1, 1, kSide - 1) >= 0.01).median().item<double>() < 0.05);
    fields.push_back(field[0]);
  }
  const at::Tensor all = at::stack(fields);
  EXPECT(std::abs(all.mean().item<double>()) < 0.03);
  EXPECT(std::abs(all.std().item<double>() / spread - 1) < 0.25);  // less between the points than at them
  EXPECT(all.abs().max().item<double>() < spread * std::sqrt(3.0) * 1.5);
  EXPECT(all.std(0).min().item<double>() > spread / 2);  // everywhere
}

DAN_TEST(layouts_have_light_by_the_size_of_the_defect) {
  for (const int64_t side : {8, 24}) {  // small, and large
    const auto isLit = [&](double light, double small) {
      sample::LayoutOptions options;
      options.pasteShare = options.smallPasteShare = 0.5;
      const sample::Layout plain = sample::Layouts(defectPool(side), goodPool(80), options).draw(3);
      options.lightSpread = light;
      options.smallLightSpread = small;
      const sample::Layout layout = sample::Layouts(defectPool(side), goodPool(80), options).draw(3);
      EXPECT(at::equal(layout.mask, plain.mask));
      return !at::equal(layout.image, plain.image);
    };
    EXPECT(isLit(0.2, 0) == (side == 24));
    EXPECT(isLit(0, 0.2) == (side == 8));
  }
}

DAN_TEST(layouts_are_exposed_whole) {
  constexpr double kSpread = 0.2;
  double sum = 0, squares = 0;
  constexpr int64_t kCount = 400;
  for (int64_t i = 0; i < kCount; ++i) {
    sample::LayoutOptions options;
    options.pasteShare = options.smallPasteShare = 1;
    const sample::Layout plain = sample::Layouts(defectPool(24, 120), goodPool(80), options).draw(i);
    options.exposureSpread = kSpread;
    const sample::Layout layout = sample::Layouts(defectPool(24, 120), goodPool(80), options).draw(i);
    EXPECT(at::equal(layout.mask, plain.mask));
    const at::Tensor factor = layout.image / plain.image;
    EXPECT((factor.max() - factor.min()).item<double>() < 1e-5);  // ground and defect
    const double log = std::log(factor.mean().item<double>());
    sum += log;
    squares += log * log;
  }
  EXPECT(std::abs(sum / kCount) < 4 * kSpread / std::sqrt(double{kCount}));
  EXPECT(std::abs(std::sqrt(squares / kCount) - kSpread) < 0.02);
}

DAN_TEST(layouts_make_moved_defects_stand_out_as_asked) {
  for (const int64_t side : {8, 24}) {  // small, and large
    const Pool faint = defectPool(side, 100);
    sample::LayoutOptions options;
    options.ownShare = options.smallOwnShare = 0;
    for (int64_t i = 0; i < 20; ++i) {
      options.movedContrast = 1;
      const sample::Layout plain = sample::Layouts(faint, goodPool(120), options).draw(i);
      options.movedContrast = 2;
      const sample::Layout strong = sample::Layouts(faint, goodPool(120), options).draw(i);
      EXPECT(at::equal(strong.mask, plain.mask));
      const double ground = 120. / 255;
      const at::Tensor before = plain.image - ground, after = strong.image - ground;
      EXPECT(before.min().item<double>() < -15. / 255);
      EXPECT((after - 2 * before).abs().max().item<double>() < 1e-3);
    }
  }
}

DAN_TEST(layouts_refuse_what_has_no_defect) {
  auto blank = emptyPool();
  blank->images.push_back(at::zeros({kSide, kSide, 3}, at::kByte));
  blank->masks.push_back(at::zeros({kSide, kSide}, at::kByte));
  expectError([&] { sample::Layouts(blank, goodPool(9), {}); }, "not empty");
  expectError([&] { sample::Layouts(emptyPool(), goodPool(9), {}); }, "real pairs");
}

}  // namespace dan::tests
