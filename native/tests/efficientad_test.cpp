// EfficientAD gives the values of a plain PyTorch writing of it (scripts/compare/detectors/efficientad.py).
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "detect/efficient_ad_loss.h"
#include "model/efficient_ad.h"
#include "tests/detector_golden.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kEfficientadSide = 256, kWidth = 4, kOutputs = 6;

}  // namespace

DAN_TEST(efficientad_is_that_of_plain_pytorch) {
  const DetectorGolden golden("efficientad");
  const nn::Weights weights = nn::Weights::random(makeGenerator(0), at::kDouble);
  const model::PatchDescriptionNet teacher(weights.scope("teacher"), kWidth, kOutputs);
  const model::PatchDescriptionNet student(weights.scope("student"), kWidth, 2 * kOutputs);
  const model::PatchAutoencoder autoencoder(weights.scope("ae"), kWidth, kOutputs);
  setToFormula(weights);
  const at::Tensor images = wave("images", {1, 3, kEfficientadSide, kEfficientadSide}),
                   changed = wave("changed", {1, 3, kEfficientadSide, kEfficientadSide});
  at::Tensor taught, taughtChanged;
  {
    const at::NoGradGuard noGrad;
    taught = teacher.forward(images);
    taughtChanged = teacher.forward(changed);
    const at::Tensor coded = autoencoder.forward(images);
    golden.expectTensor("autoencoder", coded.slice(2, 0, coded.size(2), 8).slice(3, 0, coded.size(3), 8));
    const detect::PatchMaps maps = detect::patchMaps(taught, student.forward(images), coded);
    const at::Tensor quantiles = at::tensor({0.1, 0.4, 0.2, 0.3}, at::kDouble).view({2, 2});
    const at::Tensor map = detect::combinedMap(maps, quantiles, kEfficientadSide, kEfficientadSide);
    golden.expectTensor("map", map.slice(1, 0, kEfficientadSide, 16).slice(2, 0, kEfficientadSide, 16));
  }
  const at::Tensor loss =
      detect::hardStudentLoss(taught, student.forward(images)) +
      detect::autoencoderLoss(taughtChanged, student.forward(changed), autoencoder.forward(changed));
  golden.expectLossAndGradients(loss, weights);
}

DAN_TEST(efficientad_quantiles_scale_good_maps_to_a_tenth) {
  const at::Tensor ramp = at::linspace(0, 1, 1001, at::kDouble).view({1, 7, 143});
  const at::Tensor quantiles = detect::mapQuantiles({ramp, 10 * ramp});
  expectClose(quantiles, at::tensor({0.9, 0.995, 9.0, 9.95}, at::kDouble).view({2, 2}), 1e-9, 0, "quantiles");
  const detect::PatchMaps flat = {at::full({1, 56, 56}, 0.995, at::kDouble), at::full({1, 56, 56}, 9.0, at::kDouble)};
  const at::Tensor centre =
      detect::combinedMap(flat, quantiles, kEfficientadSide, kEfficientadSide).slice(1, 64, 128).slice(2, 64, 128);
  expectClose(centre, at::full_like(centre, 0.05), 1e-9, 0, "half of 0.1 and half of 0");
}

DAN_TEST(efficientad_rejects_images_that_are_too_small) {
  const model::PatchAutoencoder autoencoder(nn::Weights::random(makeGenerator(0)), kWidth, kOutputs);
  expectError([&] { autoencoder.forward(at::zeros({1, 3, 128, 256})); }, "from 256 pixels on but received 128 x 256");
  expectError([&] { autoencoder.forward(at::zeros({1, 3, 256, 270})); }, "multiples of 32");
}

}  // namespace dan::tests
