// These tests are about drawing defects into windows of photographs.
#include "core/random.h"
#include "place/placer.h"
#include "tests/place_models.h"
#include "tests/stand_in_device.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kPlaceSide = 64;

at::Tensor randomBytes(at::IntArrayRef shape, uint64_t seed) {
  return at::randint(0, 256, shape, makeGenerator(seed), at::kByte);
}

// A window with a random photograph, a place in its middle and a small defect there.
place::PlaceWindow windowOf(int64_t index) {
  place::PlaceWindow window;
  window.index = index;
  window.photograph = randomBytes({kPlaceSide, kPlaceSide, 3}, 10 + static_cast<uint64_t>(index));
  window.defectImage = randomBytes({kPlaceSide, kPlaceSide, 3}, 20);
  window.place = at::zeros({kPlaceSide, kPlaceSide}, at::kByte);
  window.place.slice(0, 16, 48).slice(1, 20, 44).fill_(255);
  window.defectMask = at::zeros({kPlaceSide, kPlaceSide}, at::kByte);
  window.defectMask.slice(0, 24, 30).slice(1, 26, 40).fill_(255);
  return window;
}

place::PlaceOptions optionsOf(const std::string& scheduler, double strength) {
  place::PlaceOptions options;
  options.sample.steps = 4;
  options.sample.width = options.sample.height = kPlaceSide;
  options.sample.scheduler = scheduler;
  options.strength = strength;
  return options;
}

}  // namespace

DAN_TEST(a_placed_defect_does_not_depend_on_its_batch) {
  for (const auto& base : {textBase(), inpaintingBase(0.1)}) {
    const auto sampler = samplerOf(base);
    const auto options = optionsOf("pndm", 0.75);
    const auto both = place::placeDefects(sampler, options, {windowOf(3), windowOf(8)}, Task());
    const auto alone = place::placeDefects(sampler, options, {windowOf(8)}, Task());
    EXPECT(both[1].index == 8 && alone[0].index == 8);
    expectClose(both[1].change, alone[0].change, 1e-4, 1e-4, "the change");
    const at::Tensor isOpen = (windowOf(8).place != 0).unsqueeze(-1).expand_as(alone[0].change);
    EXPECT((alone[0].change * ~isOpen).abs().max().item<double>() == 0);
    EXPECT(alone[0].change.abs().max().item<double>() > 0.01);
    auto again = windowOf(8);
    again.attempt = 1;
    EXPECT(!place::placeDefects(sampler, options, {again}, Task())[0].change.equal(alone[0].change));
  }
}

DAN_TEST(a_change_counts_by_the_weight_of_its_place) {
  for (const auto& base : {textBase(), inpaintingBase(0.1)}) {
    const auto drawn = [&](int weight) {
      auto window = windowOf(3);
      window.place.slice(0, 16, 32).masked_fill_(window.place.slice(0, 16, 32) != 0, weight);
      return place::placeDefects(samplerOf(base), optionsOf("ddim", 0.75), {window}, Task())[0];
    };
    const auto whole = drawn(255), faint = drawn(51);
    // The latents are open in both, so the model draws the same.
    EXPECT(faint.part.equal(whole.part));
    expectClose(faint.change.slice(0, 0, 32), whole.change.slice(0, 0, 32) / 5, 1e-6, 1e-6, "the weighted change");
    EXPECT(faint.change.slice(0, 32).equal(whole.change.slice(0, 32)));
    EXPECT(whole.change.slice(0, 16, 32).abs().max().item<double>() > 0.01);
  }
}

DAN_TEST(the_photograph_is_the_background_of_a_placed_defect) {
  for (const auto& base : {textBase(), inpaintingBase(0.1)}) {
    const auto sampler = samplerOf(base, kBackgroundAdapter);
    const auto options = optionsOf("ddim", 1);
    auto window = windowOf(0), other = windowOf(0);
    window.foreground = other.foreground = at::zeros({kPlaceSide, kPlaceSide}, at::kByte);
    other.foreground = window.foreground.clone().fill_(1);
    std::vector<size_t> steps;
    const auto placed = place::placeDefects(sampler, options, {window, other}, Task(),
                                            [&](size_t step, size_t) { steps.push_back(step); });
    EXPECT(!placed[0].change.equal(placed[1].change));
    EXPECT(steps == std::vector<size_t>({1, 2, 3, 4, 5, 6, 7, 8}));
    expectError([&] { place::placeDefects(sampler, options, {windowOf(0)}, Task()); }, "must have a foreground");
  }
}

DAN_TEST(placing_leaves_nothing_on_the_host) {
  const std::vector<std::pair<std::shared_ptr<model::BaseModel>, std::shared_ptr<model::BaseModel>>> bases = {
      {textBase(), model::loadBaseModel(fixture("tiny-sd"), standInDevice(), at::kFloat)},
      {inpaintingBase(0.1), inpaintingBase(0.1, standInDevice())}};
  for (const char* adapter : {kDualAdapter, kBackgroundAdapter}) {
    auto window = windowOf(0);
    if (adapter == kBackgroundAdapter) window.foreground = window.place;
    for (const auto& [here, there] : bases) {
      const auto draw = [&](const auto& base) {
        return place::placeDefects(samplerOf(base, adapter), optionsOf("ddim", 0.75), {window}, Task())[0];
      };
      const auto drawn = draw(there);
      EXPECT(drawn.part.is_cpu() && drawn.change.is_cpu() && drawn.mask.is_cpu());
      expectClose(drawn.change, draw(here).change, 1e-3, 1e-3, "the change");
    }
  }
}

DAN_TEST(the_change_of_a_grey_photograph_is_grey) {
  auto window = windowOf(0);
  window.photograph = window.photograph.select(2, 0).unsqueeze(2).expand({kPlaceSide, kPlaceSide, 3}).contiguous();
  const auto placed = place::placeDefects(samplerOf(textBase()), optionsOf("ddim", 1), {window}, Task());
  const at::Tensor& change = placed[0].change;
  EXPECT(change.select(2, 0).equal(change.select(2, 1)) && change.select(2, 0).equal(change.select(2, 2)));
}

DAN_TEST(place_refuses_windows_that_do_not_fit) {
  const auto sampler = samplerOf(textBase());
  const auto refuse = [&](double strength, const std::function<void(place::PlaceWindow&)>& change,
                          const std::string& text) {
    auto window = windowOf(0);
    change(window);
    expectError([&] { place::placeDefects(sampler, optionsOf("ddim", strength), {window}, Task()); }, text);
  };
  refuse(
      1, [](auto& w) { w.place.fill_(0); }, "a place with open pixels for window 0");
  refuse(
      1,
      [](auto& w) {
        w.photograph = randomBytes({32, 64, 3}, 1);
      },
      "64 x 64 pixels for the window's photograph");
  refuse(
      1,
      [](auto& w) {
        w.place = randomBytes({64, 32}, 1);
      },
      "for the window's place but received 32 x 64");
  refuse(
      1, [](auto& w) { w.index = -1; }, "for the window's index but received -1");
  refuse(
      1, [](auto& w) { w.attempt = 1 << 12; }, "for the window's attempt but received 4096");
  refuse(
      1, [](auto& w) { w.foreground = w.place; }, "without background compensation");
  refuse(
      0.5, [](auto& w) { w.defectImage = at::Tensor(); }, "a real defect for window 0");
  refuse(
      0.5, [](auto& w) { w.defectMask.fill_(0); }, "marks the defect of window 0");
  refuse(
      2, [](auto&) {}, "for strength but received 2");
  refuse(
      0.1, [](auto&) {}, "no step would remain");
}

}  // namespace dan::tests
