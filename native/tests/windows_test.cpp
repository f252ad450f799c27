// Training windows and places must show what training needs: the defect in the window, and nothing of it in the masked
// image.
#include <ATen/core/grad_mode.h>

#include "core/host_memory.h"
#include "core/memory_meter.h"
#include "core/random.h"
#include "dual/branch.h"
#include "tests/inpainting_base.h"
#include "tests/test.h"
#include "train/drawn_place.h"
#include "train/pair_latents.h"
#include "train/region_windows.h"
#include "train/window_latents.h"

namespace dan::tests {

namespace {

constexpr int64_t kWindowsSide = 32;

at::Tensor marked(int64_t height, int64_t width, std::array<int64_t, 4> box) {
  at::Tensor mask = at::zeros({height, width}, at::kByte);
  mask.slice(0, box[0], box[1]).slice(1, box[2], box[3]).fill_(255);
  return mask;
}

at::Tensor randomImage(int64_t height, int64_t width, uint64_t seed) {
  return at::randint(256, {height, width, 3}, makeGenerator(seed), at::kByte);
}

struct Offsets {
  std::set<int64_t> tops, lefts;
};

// Draws many windows, each of which must lie in the region and show a part of the defect.
Offsets drawMany(const at::Tensor& mask, int64_t minimum) {
  const train::RegionWindows windows(mask, kWindowsSide);
  Rng rng(makeGenerator(3));
  Offsets offsets;
  for (int i = 0; i < 500; ++i) {
    const train::Window window = windows.draw(rng);
    EXPECT(window.cut(mask).sizes() == at::IntArrayRef({kWindowsSide, kWindowsSide}));
    EXPECT((window.cut(mask) > 0).sum().item<int64_t>() >= minimum);
    offsets.tops.insert(window.top);
    offsets.lefts.insert(window.left);
  }
  return offsets;
}

void expectRange(const std::set<int64_t>& values, int64_t first, int64_t last) {
  EXPECT(*values.begin() == first && *values.rbegin() == last);
}

// A pair has these values in its image where the mask is set, and others elsewhere.
at::Tensor withDefect(const at::Tensor& image, const at::Tensor& mask, const at::Tensor& defect) {
  return at::where((mask > 0).unsqueeze(2), defect, image);
}

train::TrainingRegions regionsOf(std::vector<train::TrainingRegion> regions) {
  train::TrainingRegions data;
  data.resolution = kWindowsSide;
  data.regions = std::move(regions);
  return data;
}

}  // namespace

DAN_TEST(a_window_holds_the_whole_defect_where_it_fits) {
  const Offsets inside = drawMany(marked(80, 100, {30, 40, 50, 70}), 200);
  expectRange(inside.tops, 8, 30);
  expectRange(inside.lefts, 38, 50);
  const Offsets atBorder = drawMany(marked(40, 32, {0, 5, 27, 32}), 25);
  expectRange(atBorder.tops, 0, 0);
  expectRange(atBorder.lefts, 0, 0);
  const Offsets anywhere = drawMany(at::zeros({40, 50}, at::kByte), 0);
  expectRange(anywhere.tops, 0, 8);
  expectRange(anywhere.lefts, 0, 18);
}

DAN_TEST(a_window_shows_a_part_of_a_defect_that_is_larger) {
  // The bounding box of a thin diagonal is mostly empty.
  at::Tensor diagonal = at::zeros({120, 120}, at::kByte);
  diagonal.slice(0, 10, 110).slice(1, 10, 110).copy_(at::eye(100, at::kByte));
  const Offsets offsets = drawMany(diagonal, 1);
  expectRange(offsets.tops, 10, 78);
  expectRange(offsets.lefts, 10, 78);
  // A wide defect fits along one axis only.
  const Offsets wide = drawMany(marked(60, 120, {20, 24, 5, 115}), 4 * kWindowsSide);
  expectRange(wide.tops, 0, 20);
  expectRange(wide.lefts, 5, 83);
  // The middle of a ring has no defect.
  at::Tensor ring = marked(120, 120, {10, 110, 10, 110});
  ring.slice(0, 12, 108).slice(1, 12, 108).zero_();
  drawMany(ring, 1);
}

DAN_TEST(the_centred_window_of_a_region_shows_its_own_defect) {
  const at::Tensor mask = marked(80, 100, {30, 40, 50, 70});
  const auto offsetOf = [&](std::optional<std::array<int64_t, 2>> centre) {
    const train::Window window = train::TrainingRegion{{}, mask, {}, 0, centre}.centredWindow(kWindowsSide);
    EXPECT(window.side == kWindowsSide);
    return std::pair(window.top, window.left);
  };
  EXPECT(offsetOf(std::array<int64_t, 2>{35, 60}) == std::pair(35 - kWindowsSide / 2, 60 - kWindowsSide / 2));
  EXPECT(offsetOf(std::array<int64_t, 2>{3, 99}) == std::pair(int64_t{0}, 100 - kWindowsSide));
  EXPECT(offsetOf(std::nullopt) == std::pair(40 - kWindowsSide / 2, 50 - kWindowsSide / 2));
}

DAN_TEST(good_regions_do_not_count_in_the_latent_means) {
  const at::NoGradGuard noGrad;
  const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  const train::TrainingRegion defect{
      randomImage(kWindowsSide, kWindowsSide, 1), marked(kWindowsSide, kWindowsSide, {4, 20, 8, 24}), {}};
  const train::TrainingRegion good{
      randomImage(kWindowsSide, kWindowsSide, 2), at::zeros({kWindowsSide, kWindowsSide}, at::kByte), {}, 1};
  const auto expectSame = [&](auto makeSource) {
    EXPECT(makeSource(regionsOf({good, defect}))->latentMeans().equal(makeSource(regionsOf({defect}))->latentMeans()));
    EXPECT(!makeSource(regionsOf({good}))->latentMeans().equal(makeSource(regionsOf({defect}))->latentMeans()));
  };
  expectSame([&](auto data) { return std::make_unique<train::PairLatents>(*base, data, Task()); });
  expectSame([&](auto data) { return std::make_unique<train::WindowLatents>(*base, data, Task()); });
}

DAN_TEST(a_place_holds_the_defect_and_hides_it) {
  Rng rng(makeGenerator(5));
  const at::Tensor mask = at::zeros({1, 1, kWindowsSide, kWindowsSide}),
                   image = randn({1, 3, kWindowsSide, kWindowsSide}, makeGenerator(6));
  mask[0][0][9][11] = mask[0][0][14][20] = 1;
  int whole = 0, exact = 0;
  constexpr int kDraws = 400;
  for (int i = 0; i < kDraws; ++i) {
    const at::Tensor place = train::drawPlace(mask, train::Recipes::kBoth, rng);
    EXPECT(place.sizes() == mask.sizes() && at::logical_or(place == 0, place == 1).all().item<bool>());
    EXPECT((place >= mask).all().item<bool>());
    const at::Tensor hidden = train::hidePlace(image, place), latents = train::placeInLatents(place, {4, 4});
    EXPECT((hidden * place).abs().max().item<double>() == 0);
    EXPECT((hidden * (1 - place)).equal(image * (1 - place)));
    const at::Tensor opened = at::repeat_interleave(at::repeat_interleave(latents, 8, 2), 8, 3);
    EXPECT((opened >= place).all().item<bool>());
    EXPECT(latents.sum().item<double>() <= place.sum().item<double>());
    whole += place.min().item<double>() == 1;
    exact += place.equal(mask);
    const at::Tensor good = train::drawPlace(at::zeros_like(mask), train::Recipes::kPlace, rng);
    EXPECT(good.sum().item<double>() >= 16 && good.min().item<double>() == 0);
    EXPECT(train::drawPlace(mask, train::Recipes::kNoise, rng).min().item<double>() == 1);
  }
  EXPECT(whole > kDraws / 5 && whole < kDraws / 2);  // one in three is expected
  EXPECT(exact < kDraws / 4);
}

DAN_TEST(windows_of_whole_images_are_encoded_as_the_images_are) {
  const at::NoGradGuard noGrad;
  const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  train::TrainingRegions data =
      regionsOf({{randomImage(kWindowsSide, kWindowsSide, 1), marked(kWindowsSide, kWindowsSide, {4, 20, 8, 24}),
                  marked(kWindowsSide, kWindowsSide, {0, 24, 2, 30})},
                 {randomImage(kWindowsSide, kWindowsSide, 2), at::zeros({kWindowsSide, kWindowsSide}, at::kByte),
                  marked(kWindowsSide, kWindowsSide, {0, 4, 0, 4})}});
  data.flips = false;
  const train::PairLatents cached(*base, data, Task());
  const train::WindowLatents drawn(*base, data, Task());
  expectClose(drawn.latentMeans(), cached.latentMeans(), 1e-5, 1e-5, "the latent means");
  expectClose(drawn.firstBackground().mean, cached.firstBackground().mean, 1e-5, 1e-5, "the first background");
  const at::Tensor index = at::tensor({1, 0, 0}, at::kLong);
  const train::TrainingBatch a = cached.draw(index, makeGenerator(1)), b = drawn.draw(index, makeGenerator(2));
  EXPECT(a.defect.equal(b.defect) && a.latents.sizes() == b.latents.sizes());
  // Batches of different sizes are summed in different orders.
  expectClose(b.background.mean, a.background.mean, 1e-3, 1e-4, "the backgrounds");
  expectClose(b.background.deviation, a.background.deviation, 1e-3, 1e-4, "the backgrounds' deviations");
  EXPECT(!a.condition.defined() && !b.condition.defined());
}

DAN_TEST(image_mask_and_foreground_of_a_window_are_cut_and_flipped_alike) {
  const at::NoGradGuard noGrad;
  const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  // The object is white on black. Without it, every background is black.
  const at::Tensor mask = marked(60, 70, {20, 41, 31, 44});
  const at::Tensor image = mask.unsqueeze(2).repeat({1, 1, 3});
  const train::WindowLatents drawn(*base, regionsOf({{image, mask, mask}}), Task());
  constexpr int64_t kPairs = 12;
  const at::Tensor black = base->vae->encode(-at::ones({kPairs, 3, kWindowsSide, kWindowsSide})).mean;
  const train::TrainingBatch batch = drawn.draw(at::zeros({kPairs}, at::kLong), makeGenerator(1));
  expectClose(batch.background.mean, black, 1e-5, 1e-5, "the backgrounds");
  EXPECT(!batch.defect[0].equal(batch.defect[1]));
}

DAN_TEST(an_inpainting_base_learns_from_places_that_hide_the_defect) {
  const at::NoGradGuard noGrad;
  const auto base = inpaintingBase();
  const at::Tensor mask = marked(50, 50, {12, 30, 15, 32}), image = randomImage(50, 50, 1);
  const auto draw = [&](const at::Tensor& pixels, bool good) {
    train::TrainingRegions data = regionsOf({{pixels, good ? at::zeros_like(mask) : mask, {}}});
    data.fill = PartFill::kBlack;
    return train::WindowLatents(*base, data, Task()).draw(at::zeros({10}, at::kLong), makeGenerator(4));
  };
  const train::TrainingBatch batch = draw(image, false),
                             other = draw(withDefect(image, mask, randomImage(50, 50, 2)), false);
  EXPECT(!batch.latents.equal(other.latents));
  EXPECT(batch.condition.maskedLatents.equal(other.condition.maskedLatents));
  EXPECT(batch.condition.place.equal(other.condition.place));
  EXPECT(batch.condition.appendTo(batch.latents).sizes() == at::IntArrayRef({20, 9, 4, 4}));
  const at::Tensor place = dual::unpackBranches(batch.condition.place);
  EXPECT(place.select(1, dual::kGlobal).equal(place.select(1, dual::kAnomaly)));
  EXPECT(!place[0].equal(place[1]));
  const at::Tensor blank =
      base->vae->encode(-at::ones({1, 3, kWindowsSide, kWindowsSide})).mean * base->vae->config().scalingFactor;
  const at::Tensor parts = dual::unpackBranches(batch.condition.maskedLatents).select(1, dual::kAnomaly);
  expectClose(parts, blank.expand_as(parts), 1e-5, 1e-5, "the blank part");
  const at::Tensor goodPlace = draw(image, true).condition.place.mean({1, 2, 3});
  EXPECT(goodPlace.min().item<double>() > 0 && goodPlace.min().item<double>() < 1);
}

DAN_TEST(regions_stay_bytes_in_memory) {
  const at::NoGradGuard noGrad;
  keepHostMemory();
  const auto base = inpaintingBase();
  std::vector<train::TrainingRegion> regions;
  const at::Tensor image = randomImage(1024, 1024, 1), mask = marked(1024, 1024, {300, 900, 200, 700});
  for (int i = 0; i < 30; ++i) regions.push_back({image, mask, {}});
  const MemoryMeter meter;
  const train::WindowLatents drawn(*base, regionsOf(std::move(regions)), Task());
  drawn.draw(at::arange(4), makeGenerator(1));
  if (meter.grown() > image.numel()) failTest(c10::str(meter.grown(), " bytes beside the regions"));
}

DAN_TEST(a_region_that_does_not_fit_is_refused_by_its_number) {
  const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  const at::Tensor image = randomImage(40, 40, 1), mask = marked(40, 40, {4, 9, 4, 9});
  const auto expectRefused = [&](const train::TrainingRegion& region, const std::string& reason) {
    expectError([&] { train::makeLatentSource(*base, regionsOf({{image, mask, {}}, region}), Task()); }, reason);
  };
  expectRefused({image.slice(1, 0, 31), mask.slice(1, 0, 31), {}},
                "32 pixels along each side for region 1 but received 31 x 40");
  expectRefused({image.slice(1, 0, 35), mask, {}}, "one size for region 1");
  expectRefused({image, mask, mask}, "region 1 has one");
  expectRefused({image, mask, {}, -1}, "type from 0 for region 1");
  expectRefused({image, mask, {}, 0, std::array<int64_t, 2>{40, 3}}, "centre inside region 1 of 40 x 40");
  expectRefused({image, mask, {}, 0, std::array<int64_t, 2>{3, -1}}, "received -1, 3");
  expectError([&] { train::makeLatentSource(*base, regionsOf({}), Task()); }, "at least one region");
}

}  // namespace dan::tests
