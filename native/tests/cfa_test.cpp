// CFA gives the values of a plain PyTorch writing of it (scripts/compare/detectors/cfa.py).
#include "model/cfa.h"

#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "detect/cfa_loss.h"
#include "detect/score_map.h"
#include "tests/detector_golden.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kCfaSide = 32;

std::vector<at::Tensor> stagesOf(const std::string& name, int64_t count) {
  const int64_t channels[] = {4, 4, 6};
  std::vector<at::Tensor> stages;
  for (size_t i = 0; i < 3; ++i) {
    const int64_t side = kCfaSide / (int64_t{4} << i);
    stages.push_back(wave(name + std::to_string(i), {count, channels[i], side, side}));
  }
  return stages;
}

at::Tensor places(const at::Tensor& features) { return features.permute({0, 2, 3, 1}).flatten(0, 2); }

}  // namespace

DAN_TEST(cfa_is_that_of_plain_pytorch) {
  const DetectorGolden golden("cfa");
  const nn::Weights weights = nn::Weights::random(makeGenerator(0), at::kDouble);
  const model::CfaDescriptor descriptor(weights.scope("descriptor.layer.conv2d"), 14);
  const at::Tensor radius = weights.take("radius", {1});
  setToFormula(weights);
  at::Tensor memory;
  {
    const at::NoGradGuard noGrad;
    at::Tensor(radius).fill_(0.8);
    memory = places(descriptor.forward(model::joinedPatches(stagesOf("good", 3))).mean(0, /*keepdim=*/true));
  }
  const at::Tensor features = places(descriptor.forward(model::joinedPatches(stagesOf("stage", 2))));
  const at::Tensor distances =
      detect::nearestDistances(features, memory, detect::kCfaNearest + detect::kCfaHardNegatives);
  golden.expectTensor("distances", distances.slice(0, 0, distances.size(0), 8));
  const at::Tensor scores = detect::cfaPlaceScores(distances.detach().slice(1, 0, detect::kCfaNearest));
  const at::Tensor maps = detect::gaussianSmoothed(detect::resizedMaps(scores.view({2, 8, 8}), kCfaSide, kCfaSide), 4);
  golden.expectTensor("map", maps.slice(1, 0, kCfaSide, 4).slice(2, 0, kCfaSide, 4));
  golden.expectLossAndGradients(detect::cfaLoss(distances, radius), weights);
}

// More features than a block of distances holds.
DAN_TEST(nearest_distances_do_not_depend_on_blocks) {
  const at::Tensor features = wave("features", {1500, 5}), memory = wave("memory", {40, 5});
  const at::Tensor all = (features.unsqueeze(1) - memory.unsqueeze(0)).square().sum(2);
  const at::Tensor expected = std::get<0>(all.sort(1)).slice(1, 0, 3);
  expectClose(detect::nearestDistances(features, memory, 3), expected, 1e-12, 1e-12, "distances");
}

}  // namespace dan::tests
