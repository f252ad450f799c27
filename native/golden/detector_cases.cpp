// This file handles the kinds draem and supersimplenet: their outputs, and the loss and gradients of one step.
#include <ATen/core/grad_mode.h>

#include "detect/draem_loss.h"
#include "detect/feature_noise.h"
#include "detect/supersimplenet_loss.h"
#include "golden/case.h"
#include "io/weights_file.h"

namespace dan::golden {

namespace {

// We compute in float64, so that what remains of a difference is not rounding. The tensors are copied, because training
// changes the running statistics.
nn::Weights weightsOf(const Case& test) {
  const std::string path = test.path(test.params().at("weights"));
  TensorMap copies;
  for (const auto& [name, tensor] : io::readWeightsFile(path).tensors) {
    copies[name] = tensor.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
  }
  return nn::Weights::fromTensors(copies, path, at::kDouble);
}

at::Tensor input(const Case& test, const std::string& name) { return test.input(name).to(at::kDouble); }

bool isStatistic(const std::string& name) { return name.find("running_") != std::string::npos; }

void trainAll(const nn::Weights& weights) {
  for (const auto& [name, tensor] : weights.taken()) {
    if (!isStatistic(name)) at::Tensor(tensor).requires_grad_();
  }
}

void expectStep(Case& test, const nn::Weights& weights, const at::Tensor& loss) {
  test.expect("loss", loss.detach().view({1}));
  loss.backward();
  for (const auto& [name, tensor] : weights.taken()) {
    if (isStatistic(name)) {
      test.expect("statistic." + name, tensor);
    } else {
      test.expect("gradient." + name, tensor.grad());
    }
  }
}

void runDraem(Case& test) {
  const nn::Weights weights = weightsOf(test);
  const model::DraemWidths widths = {test.params().at("reconstructive"), test.params().at("discriminative")};
  const model::DraemNet net(weights, widths, test.params().at("sspcab"));
  weights.expectAllTaken({"num_batches_tracked"});
  const at::Tensor image = input(test, "image");
  {
    const at::NoGradGuard noGrad;
    const auto output = net.forward(image);
    test.expect("eval.reconstruction", output.reconstruction.image);
    test.expect("eval.map", at::softmax(output.logits, 1).select(1, 1));
  }
  trainAll(weights);
  const auto output = net.forward(image, /*training=*/true);
  test.expect("train.reconstruction", output.reconstruction.image);
  test.expect("train.logits", output.logits);
  expectStep(test, weights, detect::draemLoss(output, input(test, "good"), test.input("mask") != 0));
}

void runSuperSimpleNet(Case& test) {
  const nn::Weights weights = weightsOf(test);
  const at::Tensor features = model::joinStages({input(test, "stage0"), input(test, "stage1")});
  const model::SuperSimpleNet net(weights, {features.size(1)});
  weights.expectAllTaken({"num_batches_tracked"});
  {
    const at::NoGradGuard noGrad;
    const auto output = net.forward(net.adapt(features));
    const int64_t side = test.params().at("side");
    test.expect("eval.map", at::sigmoid(model::resizeSmoothly(output.map, side, side)));
    test.expect("eval.score", at::sigmoid(output.score));
  }
  trainAll(weights);
  const at::Tensor masks = detect::resizedMasks(test.input("mask") != 0, features.size(2), features.size(3));
  const detect::LabelledFeatures noisy = detect::withNoise(
      {net.adapt(features), masks.to(at::kDouble), input(test, "label")}, input(test, "places"), input(test, "noise"));
  const auto output = net.forward(noisy.features, /*training=*/true, test.params().at("separate_heads"));
  test.expect("train.map", output.map);
  test.expect("train.score", output.score);
  test.expect("train.mask", noisy.masks);
  test.expect("train.label", noisy.labels);
  expectStep(test, weights, detect::superSimpleLoss(output, noisy.masks, noisy.labels));
}

}  // namespace

void addDetectorHandlers(Handlers& handlers) {
  handlers["draem"] = {runDraem};
  handlers["supersimplenet"] = {runSuperSimpleNet};
}

}  // namespace dan::golden
