// This file handles the kinds backbone and patchcore.
#include <ATen/core/grad_mode.h>

#include "detect/patchcore.h"
#include "golden/case.h"
#include "model/backbone.h"

namespace dan::golden {

namespace {

std::unique_ptr<model::Backbone> backboneOf(const Case& test) {
  return model::readBackbone(test.params().at("name").get<std::string>(),
                             test.path(test.params().at("weights").get<std::string>()), test.device());
}

void runBackbone(Case& test) {
  const at::NoGradGuard noGrad;
  const auto backbone = backboneOf(test);
  test.expect("features", backbone->features(test.input("images")).at(test.params().at("stage").get<size_t>()));
}

void runPatchcore(Case& test) {
  const at::NoGradGuard noGrad;
  const Task task;
  const auto backbone = backboneOf(test);
  const detect::MemoryBank bank(test.input("bank"));
  const detect::Scored scored = detect::patchcoreScores(*backbone, bank, test.input("images"), task);
  if (test.hasOutput("maps")) test.expect("maps", scored.maps);
  if (test.hasOutput("scores")) test.expect("scores", scored.scores);
  if (test.hasOutput("distances")) {
    const at::Tensor features = detect::patchFeatures(*backbone, test.input("images"));
    test.expect("distances", bank.nearest(features.permute({0, 2, 3, 1}).flatten(0, 2), task).distances);
  }
}

}  // namespace

void addFeatureHandlers(Handlers& handlers) {
  handlers["backbone"] = {runBackbone, kOnDevice};
  handlers["patchcore"] = {runPatchcore, kOnDevice};
}

}  // namespace dan::golden
