// These tests hold the networks and losses of DRAEM and SuperSimpleNet to anomalib's modules. The weights and the
// pictures come from formulas. scripts/compare/detector_nets.py computed the expected numbers.
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/gaussian_filter.h"
#include "core/random.h"
#include "detect/draem_loss.h"
#include "detect/feature_noise.h"
#include "detect/supersimplenet_loss.h"
#include "metrics/structural_similarity.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

const at::TensorOptions kDouble = at::TensorOptions().dtype(at::kDouble);

at::Tensor waveFrom(at::IntArrayRef shape, double start) {
  const at::Tensor index = at::arange(c10::multiply_integers(shape), kDouble);
  return at::sin(start + 0.3 * index).view(shape);
}

// Numbers in -1 .. 1 that look random.
at::Tensor noise(at::IntArrayRef shape, double start) {
  const at::Tensor index = at::arange(c10::multiply_integers(shape), kDouble);
  return 2 * at::remainder(10000 * at::sin(start + index), 1).view(shape) - 1;
}

bool isStatistic(const std::string& name) { return name.find("running_") != std::string::npos; }

bool endsWithGain(const std::string& name) {
  return name.find("weight") != std::string::npos || name.find("running_var") != std::string::npos;
}

void fill(const TensorMap& weights) {
  double start = 0;
  for (const auto& [name, tensor] : weights) {
    const bool isVector = tensor.dim() == 1;
    const double size = isVector ? 0.3 : 2.4 / std::sqrt(static_cast<double>(tensor[0].numel()));
    at::Tensor(tensor).copy_(size * noise(tensor.sizes(), start++) + (isVector && endsWithGain(name) ? 1.0 : 0.0));
    if (!isStatistic(name)) at::Tensor(tensor).requires_grad_();
  }
}

nn::Weights doubleWeights() { return nn::Weights::random(makeGenerator(1), at::kDouble); }

double fingerprint(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& tensor : tensors) parts.push_back(tensor.detach().to(at::kDouble).flatten());
  const at::Tensor flat = at::cat(parts);
  return (flat * at::cos(at::arange(flat.numel(), kDouble))).sum().item<double>();
}

void expectNumber(double actual, double expected, const std::string& what) {
  if (!(std::abs(actual - expected) <= 1e-5 * std::abs(expected))) {
    failTest(c10::str(what, " is ", actual, ", expected ", expected));
  }
}

struct Step {
  double loss, gradient, statistic;
};

void expectStep(const nn::Weights& weights, const at::Tensor& loss, Step expected) {
  loss.backward();
  std::vector<at::Tensor> gradients, statistics;
  for (const auto& [name, tensor] : weights.taken()) {
    (isStatistic(name) ? statistics : gradients).push_back(isStatistic(name) ? tensor : tensor.grad());
  }
  expectNumber(fingerprint({loss}), expected.loss, "loss");
  expectNumber(fingerprint(gradients), expected.gradient, "gradient");
  expectNumber(fingerprint(statistics), expected.statistic, "statistic");
}

void checkDraem(bool sspcab, double eval, double train, Step step) {
  const nn::Weights weights = doubleWeights();
  const model::DraemNet net(weights, {8, 4}, sspcab);
  fill(weights.taken());
  const std::vector<int64_t> shape = {2, 3, 64, 64};
  const at::Tensor image = 0.5 + 0.5 * waveFrom(shape, 0), good = 0.5 + 0.5 * waveFrom(shape, 1);
  {
    const at::NoGradGuard noGrad;
    const auto output = net.forward(image);
    const at::Tensor map = at::softmax(output.logits, 1).select(1, 1);
    expectNumber(fingerprint({map, output.reconstruction.image}), eval, "eval");
  }
  const auto output = net.forward(image, /*training=*/true);
  expectNumber(fingerprint({output.logits, output.reconstruction.image}), train, "train");
  expectStep(weights, detect::draemLoss(output, good, waveFrom({2, 64, 64}, 2) > 0.6), step);
}

void checkSuperSimpleNet(bool supervised, double eval, double train, Step step) {
  const nn::Weights weights = doubleWeights();
  const model::SuperSimpleNet net(weights, {12});
  fill(weights.taken());
  const at::Tensor features = model::joinStages({waveFrom({2, 5, 8, 8}, 0), waveFrom({2, 7, 4, 4}, 1)});
  {
    const at::NoGradGuard noGrad;
    const auto output = net.forward(net.adapt(features));
    const at::Tensor map = at::sigmoid(model::resizeSmoothly(output.map, 64, 64));
    expectNumber(fingerprint({map, at::sigmoid(output.score)}), eval, "eval");
  }
  at::Tensor mask = at::zeros({2, 64, 64}, at::kBool), label = at::zeros({2}, kDouble);
  if (supervised) {
    mask[1].narrow(0, 8, 32).narrow(1, 16, 16).fill_(true);
    label[1] = 1;
  }
  at::Tensor places = (waveFrom({4, 1, 16, 16}, 2) > 0.6).to(at::kDouble);
  places[0].zero_();
  places[3].zero_();
  const auto noisy = detect::withNoise({net.adapt(features), detect::resizedMasks(mask, 16, 16).to(at::kDouble), label},
                                       places, 0.3 * waveFrom({4, 12, 16, 16}, 3));
  const auto output = net.forward(noisy.features, /*training=*/true, /*separateHeads=*/!supervised);
  expectNumber(fingerprint({noisy.labels, output.map, noisy.masks, output.score}), train, "train");
  expectStep(weights, detect::superSimpleLoss(output, noisy.masks, noisy.labels), step);
}

}  // namespace

DAN_TEST(draem_is_the_published_network) {
  checkDraem(/*sspcab=*/false, -1.1137038871134761, -107.35383591716428,
             {2.992223077585215, 48.78137713051348, -2.1882694957402764});
}

DAN_TEST(draem_with_sspcab_is_the_published_network) {
  checkDraem(/*sspcab=*/true, -0.3886085982020696, 85.17846531509808,
             {3.121052284251757, 39.28933575677613, -4.117463579837015});
}

DAN_TEST(supersimplenet_is_the_published_network) {
  checkSuperSimpleNet(/*supervised=*/false, -0.020049564636304917, -2.683722975659542,
                      {1.6801989543246345, 0.20103222600787096, 5.078571283393405});
}

DAN_TEST(supersimplenet_with_defects_is_the_published_network) {
  checkSuperSimpleNet(/*supervised=*/true, -0.020049564636304917, -7.250056943374657,
                      {1.7301551085351479, -3.796843237880122, 5.073241158918858});
}

DAN_TEST(structural_similarity_follows_its_equation) {
  const at::Tensor a = 0.5 + 0.5 * noise({1, 2, 13, 15}, 1), b = 0.5 + 0.5 * noise({1, 2, 13, 15}, 2);
  const at::Tensor similarity = metrics::structuralSimilarity(a, b);
  EXPECT(similarity.sizes() == a.sizes());
  expectClose(metrics::structuralSimilarity(a, a), at::ones_like(a), 1e-12, 0, "similarity of an image with itself");
  const auto x = a.accessor<double, 4>(), y = b.accessor<double, 4>();
  for (const auto& [row, column] : std::vector<std::pair<int64_t, int64_t>>{{6, 7}, {0, 0}, {12, 3}}) {
    double weights = 0, ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    for (int64_t i = -5; i <= 5; ++i) {
      for (int64_t j = -5; j <= 5; ++j) {
        const double weight = std::exp(-static_cast<double>(i * i + j * j) / (2 * 1.5 * 1.5));
        weights += weight;
        const int64_t r = row + i, c = column + j;
        if (r < 0 || r >= 13 || c < 0 || c >= 15) continue;  // Images count as 0 beyond their borders.
        const double p = x[0][1][r][c], q = y[0][1][r][c];
        ma += weight * p, mb += weight * q, aa += weight * p * p, bb += weight * q * q, ab += weight * p * q;
      }
    }
    ma /= weights, mb /= weights;
    const double va = aa / weights - ma * ma, vb = bb / weights - mb * mb, covariance = ab / weights - ma * mb;
    const double expected =
        (2 * ma * mb + 1e-4) * (2 * covariance + 9e-4) / ((ma * ma + mb * mb + 1e-4) * (va + vb + 9e-4));
    expectNumber(similarity[0][1][row][column].item<double>(), expected, "similarity");
  }
}

DAN_TEST(a_gaussian_filter_by_matrices_is_the_convolution) {
  for (const bool isLastChannels : {false, true}) {
    at::Tensor x = randn({2, 3, 37, 24}, makeGenerator(1)).to(at::kDouble);
    if (isLastChannels) x = x.contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor a = x.detach().clone().requires_grad_(), b = x.detach().clone().requires_grad_();
    const at::Tensor actual = gaussianFilter(a, 1.5, 5), expected = gaussianFilterPlain(b, 1.5, 5);
    expectClose(actual.detach(), expected.detach(), 1e-14, 0, "filtered");
    const at::Tensor gradient = randn(expected.sizes(), makeGenerator(2)).to(at::kDouble);
    actual.backward(gradient);
    expected.backward(gradient);
    expectClose(a.grad(), b.grad(), 1e-14, 0, "gradient");
  }
}

DAN_TEST(gaussian_blur_keeps_a_constant_and_spreads_a_point_as_a_gaussian) {
  expectClose(gaussianBlur(at::full({1, 1, 30, 20}, 3, kDouble), 4, 12), at::full({1, 1, 30, 20}, 3, kDouble), 1e-12, 0,
              "constant");
  at::Tensor point = at::zeros({1, 1, 31, 31}, kDouble);
  point[0][0][15][15] = 1;
  const at::Tensor spread = gaussianBlur(point, 4, 12)[0][0];
  expectNumber((spread[15][15] / spread[12][19]).item<double>(), std::exp((3 * 3 + 4 * 4) / 32.0), "ratio");
  EXPECT(spread[15][2].item<double>() == 0);
}

DAN_TEST(sspcab_does_not_see_what_it_predicts) {
  const nn::Weights weights = doubleWeights();
  const model::Sspcab sspcab(weights, 8);
  fill(weights.taken());
  const at::NoGradGuard noGrad;
  at::Tensor x = at::zeros({1, 8, 9, 9}, kDouble);
  // Without biases the attention does not depend on a single pixel's place, and only the four corners see the pixel.
  for (const auto& [name, tensor] : weights.taken()) {
    if (tensor.dim() == 1) at::Tensor(tensor).zero_();
  }
  x[0].select(1, 4).select(1, 4).fill_(1);
  const at::Tensor seen = sspcab(x).abs().amax(1)[0] > 0;
  at::Tensor corners = at::zeros({9, 9}, at::kBool);
  for (const int64_t row : {2, 6}) {
    for (const int64_t column : {2, 6}) corners[row][column] = true;
  }
  EXPECT(at::equal(seen, corners));
}

DAN_TEST(noise_comes_in_half_of_the_images_and_leaves_defects_alone) {
  Rng rng(makeGenerator(7)), again(makeGenerator(7));
  const at::Tensor places = detect::drawNoisePlaces(200, 16, 12, 0.2, rng);
  EXPECT(at::equal(places, detect::drawNoisePlaces(200, 16, 12, 0.2, again)));
  EXPECT(((places == 0) | (places == 1)).all().item<bool>());
  const int64_t marked = places.flatten(1).any(1).sum().item<int64_t>();
  EXPECT(marked > 65 && marked < 130);  // A few of the drawn half stay below the threshold.
  at::Tensor masks = at::zeros({2, 1, 4, 4});
  masks[1].fill_(1);
  const auto noisy = detect::withNoise({at::zeros({2, 3, 4, 4}), masks, at::tensor({0.f, 1.f})}, at::ones({4, 1, 4, 4}),
                                       at::full({4, 3, 4, 4}, 2));
  for (const int64_t i : {0, 2}) EXPECT((noisy.features[i] == 2).all().item<bool>());
  for (const int64_t i : {1, 3}) EXPECT((noisy.features[i] == 0).all().item<bool>());
  EXPECT((noisy.masks == 1).all().item<bool>() && (noisy.labels == 1).all().item<bool>());
}

}  // namespace dan::tests
