// This file handles the kinds localization, focal_loss, metrics, inception_score, ic_lpips and lpips.
#include <ATen/core/grad_mode.h>

#include "golden/case.h"
#include "io/weights_file.h"
#include "metrics/generation.h"
#include "metrics/ranking.h"
#include "model/localization_net.h"
#include "model/lpips_net.h"

namespace dan::golden {

namespace {

nn::Weights weightsOf(const Case& test, const std::string& param) {
  const std::string path = test.path(test.params().at(param));
  return nn::Weights::fromTensors(io::readWeightsFile(path).tensors, path, at::kFloat, test.device());
}

at::Tensor scalar(double value) { return at::full({1}, value, at::kDouble); }

void runLocalization(Case& test) {
  const at::NoGradGuard noGrad;
  const model::LocalizationNet net(weightsOf(test, "weights"), test.params().at("base_channels"));
  const at::Tensor logits = net.forward(test.input("image"));
  const at::Tensor probability = at::softmax(logits, 1).select(1, 1);
  test.expect("logits", logits);
  test.expect("probability", probability);
  test.expect("image_score", metrics::imageScores(probability));
}

void runFocalLoss(Case& test) {
  test.expect("loss", metrics::focalLoss(test.input("probability"), test.input("target")));
}

void runMetrics(Case& test) {
  const at::Tensor scores = test.input("scores"), masks = test.input("masks");
  const at::Tensor imageScores = metrics::imageScores(scores), imageLabels = masks.flatten(1).amax(1);
  test.expect("pixel_auroc", scalar(metrics::auroc(scores, masks)));
  test.expect("pixel_ap", scalar(metrics::averagePrecision(scores, masks)));
  test.expect("pixel_f1_max", scalar(metrics::f1Max(scores, masks)));
  test.expect("pixel_f1_max_grid05", scalar(metrics::f1MaxOnGrid(scores, masks)));
  test.expect("au_pro_030", scalar(metrics::auPro(scores, masks)));
  test.expect("image_auroc", scalar(metrics::auroc(imageScores, imageLabels)));
  test.expect("image_ap", scalar(metrics::averagePrecision(imageScores, imageLabels)));
  test.expect("image_f1_max", scalar(metrics::f1Max(imageScores, imageLabels)));
}

void runInceptionScore(Case& test) {
  const at::Tensor probabilities = test.input("probabilities");
  const auto score = metrics::inceptionScore(probabilities, test.params().at("splits"));
  test.expect("mean", scalar(score.mean));
  test.expect("std", scalar(score.std));
  test.expect("whole", scalar(metrics::inceptionScore(probabilities, 1).mean));
}

void runIcLpips(Case& test) {
  const auto result = metrics::icLpips(test.input("distance_to_references"), test.input("pairwise"));
  test.expect("cluster", result.cluster);
  test.expect("ic_lpips", scalar(result.value));
}

void runLpips(Case& test) {
  const at::NoGradGuard noGrad;
  if (test.params().at("net") != "squeeze") return test.fail("only the squeeze backbone is known");
  const model::LpipsNet net(weightsOf(test, "backbone"), weightsOf(test, "linear"));
  test.expect("distance", net.distance(test.input("image0"), test.input("image1")));
}

}  // namespace

void addEvaluationHandlers(Handlers& handlers) {
  handlers["localization"] = {runLocalization, kOnDevice};
  handlers["focal_loss"] = {runFocalLoss};
  handlers["metrics"] = {runMetrics};
  handlers["inception_score"] = {runInceptionScore};
  handlers["ic_lpips"] = {runIcLpips};
  handlers["lpips"] = {runLpips, kOnDevice};
}

}  // namespace dan::golden
