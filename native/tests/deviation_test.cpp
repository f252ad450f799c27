// DevNet and DRA give the values of a plain PyTorch writing of them (scripts/compare/detectors).
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "detect/deviation_loss.h"
#include "model/devnet.h"
#include "tests/detector_golden.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kDeviationSide = 160;
const model::ResNetConfig kTiny = model::ResNetConfig::resnet18(4);

}  // namespace

DAN_TEST(devnet_is_that_of_plain_pytorch) {
  const DetectorGolden golden("devnet");
  const nn::Weights weights = nn::Weights::random(makeGenerator(0), at::kDouble);
  const model::DevNet net(weights, kTiny);
  setToFormula(weights);
  const at::Tensor images = wave("images", {4, 3, kDeviationSide, kDeviationSide});
  {
    const at::NoGradGuard noGrad;
    const std::vector<at::Tensor> maps = net.forward(images);
    golden.expectTensor("map0", maps[0]);
    golden.expectTensor("map1", maps[1]);
    golden.expectTensor("scores", model::DevNet::scores(maps));
  }
  const at::Tensor scores = model::DevNet::scores(net.forward(images, /*training=*/true));
  const at::Tensor labels = at::tensor({0.0, 1.0, 0.0, 1.0}, at::kDouble);
  golden.expectLossAndGradients(detect::deviationLoss(scores, labels, wave("reference", {50})), weights);
}

DAN_TEST(dra_is_that_of_plain_pytorch) {
  const DetectorGolden golden("dra");
  const nn::Weights weights = nn::Weights::random(makeGenerator(0), at::kDouble);
  const model::Dra net(weights, kTiny);
  setToFormula(weights);
  const at::Tensor images = at::cat({wave("references", {2, 3, kDeviationSide, kDeviationSide}),
                                     wave("images", {6, 3, kDeviationSide, kDeviationSide})});
  const auto heads = [&](bool training) {
    std::vector<model::Dra::Scale> scales;
    for (const at::Tensor& features : net.features(images, training)) {
      scales.push_back({features.slice(0, 2), features.slice(0, 0, 2).mean(0, /*keepdim=*/true)});
    }
    return net.heads(scales, training);
  };
  {
    const at::NoGradGuard noGrad;
    const std::vector<model::Dra::Heads> found = heads(/*training=*/false);
    golden.expectTensor("map0", found[0].seen + found[0].pseudo + found[0].residual);
    golden.expectTensor("map1", found[1].seen + found[1].pseudo + found[1].residual);
    golden.expectTensor("scores", model::draScores(found).total());
  }
  const at::Tensor labels = at::tensor({0, 1, 2, 0, 1, 2}, at::kLong);
  const model::DraScores scores = model::draScores(heads(/*training=*/true));
  golden.expectLossAndGradients(detect::draLoss(scores, labels, wave("reference", {4, 50})), weights);
}

DAN_TEST(deviation_loss_pulls_good_scores_to_the_mean_and_pushes_others_above_the_margin) {
  const at::Tensor references = at::tensor({-1.0, 1.0}, at::kDouble);  // mean 0, deviation sqrt(2)
  const auto loss = [&](double score, double label) {
    return detect::deviationLoss(at::tensor({score}, at::kDouble), at::tensor({label}, at::kDouble), references)
        .item<double>();
  };
  const double deviation = std::sqrt(2.0);
  EXPECT(loss(0, 0) == 0 && std::abs(loss(-deviation, 0) - 1) < 1e-12);
  EXPECT(std::abs(loss(0, 1) - 5) < 1e-12 && loss(6 * deviation, 1) == 0);
  const at::Tensor none = at::empty({0}, at::kDouble);
  EXPECT(detect::deviationLoss(none, none, references).item<double>() == 0);
}

}  // namespace dan::tests
