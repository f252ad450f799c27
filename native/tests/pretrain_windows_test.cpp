#include "core/random.h"
#include "pretrain/windows.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

using pretrain::TrainingData;
using pretrain::Windows;

// Every pixel of a picture tells its own row and column, so that a window tells where it lies. The first picture has a
// small defect, the second one that is larger than a window, the third none.
TrainingData numberedPictures() {
  const at::Tensor lines = at::arange(40, at::kByte);
  const at::Tensor image =
      at::stack({lines.view({40, 1}).expand({40, 40}), lines.expand({40, 40}), at::zeros({40, 40}, at::kByte)}, 2);
  at::Tensor masks = at::zeros({3, 40, 40}, at::kByte);
  masks[0].slice(0, 30, 38).slice(1, 3, 6).fill_(1);
  masks[1].slice(0, 2, 39).slice(1, 18, 21).fill_(1);
  return {image.unsqueeze(0).expand({3, 40, 40, 3}).contiguous(),
          masks,
          at::zeros({3}, at::kLong),
          at::tensor({0, 0, -1}, at::kLong),
          {"scratch"}};
}

at::Tensor rows(int64_t picture, int64_t count) { return at::full({count}, picture, at::kLong); }

}  // namespace

DAN_TEST(a_training_window_holds_the_defect_and_agrees_with_its_mask) {
  const TrainingData data = numberedPictures();
  const Windows small = pretrain::drawWindows(data, rows(0, 64), 16, makeGenerator(1));
  EXPECT(small.masks.sum({1, 2, 3}).eq(8 * 3).all().item<bool>());
  const Windows large = pretrain::drawWindows(data, rows(1, 64), 16, makeGenerator(2));
  EXPECT(large.masks.sum({1, 2, 3}).eq(16 * 3).all().item<bool>());
  EXPECT(pretrain::drawWindows(data, rows(2, 4), 16, makeGenerator(3)).masks.sum().item<double>() == 0);

  // The mask is cut, mirrored and turned as the picture is: its pixels are the defect's own.
  for (const auto& [windows, picture] : {std::pair{small, 0}, {large, 1}}) {
    const at::Tensor bytes = ((windows.pixels + 1) * 127.5).round().to(at::kLong);
    const at::Tensor truth = data.masks[picture].index({bytes.select(1, 0), bytes.select(1, 1)});
    EXPECT(truth.eq(windows.masks.squeeze(1)).all().item<bool>());
    EXPECT(windows.parts().eq(windows.pixels * windows.masks).all().item<bool>());
  }
  // All eight mirrored and turned forms occur, and the offsets differ.
  EXPECT(std::get<0>(at::unique_dim(small.pixels, 0)).size(0) > 32);
}

DAN_TEST(every_training_window_gets_its_own_place) {
  const Windows windows = pretrain::drawWindows(numberedPictures(), rows(0, 300), 32, makeGenerator(1));
  const at::Tensor places = pretrain::drawPlaces(windows.masks, makeGenerator(2));
  EXPECT(places.sizes() == windows.masks.sizes() && places.ge(windows.masks).all().item<bool>());
  EXPECT(places[0].ne(places[1]).any().item<bool>());
}

DAN_TEST(the_condition_of_training_does_not_tell_the_defect) {
  model::VaeConfig config;
  config.blockOutChannels = {8, 8};
  config.layersPerBlock = 1;
  config.groups = 4;
  const model::Vae vae(nn::Weights::random(makeGenerator(1)), config);
  const Windows windows = pretrain::drawWindows(numberedPictures(), rows(0, 4), 32, makeGenerator(2));
  const at::Tensor places = pretrain::drawPlaces(windows.masks, makeGenerator(3));
  const auto latents = pretrain::encodePairs(vae, windows, places);
  const Windows other{windows.pixels * (1 - windows.masks) + 0.5 * windows.masks, windows.masks};
  const auto changed = pretrain::encodePairs(vae, other, places);
  EXPECT(!latents.clean.equal(changed.clean));
  EXPECT(latents.condition.maskedLatents.equal(changed.condition.maskedLatents));
  EXPECT(latents.condition.appendTo(latents.clean).sizes() == at::IntArrayRef({8, 9, 16, 16}));

  // The anomaly rows are given the blank part. A latent is open if any of its pixels is.
  const at::Tensor blank = vae.encode(at::zeros({1, 3, 32, 32})).mean * config.scalingFactor;
  for (int64_t row = 1; row < 8; row += 2) {
    expectClose(latents.condition.maskedLatents[row], blank[0], 1e-5, 1e-5, "the blank part");
  }
  const at::Tensor open = at::upsample_nearest2d(latents.condition.place.slice(0, 0, 8, 2), {32, 32});
  EXPECT(open.ge(places).all().item<bool>());
  expectClose(latents.weights.mean({1, 2, 3}), at::ones({8}), 1e-5, 1e-5, "the weights' mean");
  EXPECT(latents.weights.gt(0).all().item<bool>());
}

}  // namespace dan::tests
