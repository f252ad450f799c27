#include "model/backbone.h"

#include <functional>

#include "core/error.h"
#include "core/finite.h"
#include "core/text.h"
#include "io/weights_file.h"
#include "model/backbone_signatures.h"
#include "model/dinov2.h"
#include "model/inverted_residual.h"
#include "model/resnet.h"

namespace dan::model {

namespace {

struct Family {
  const char* name;
  std::function<std::unique_ptr<Backbone>(const nn::Weights&)> make;
  // The network that classifies has these layers too. Their names begin like this.
  std::vector<std::string_view> unused;
};

const std::vector<Family>& families() {
  const auto resnet = [](ResNetConfig config) {
    return [config](const nn::Weights& weights) { return std::make_unique<ResNetBackbone>(weights, config); };
  };
  static const std::vector<Family> all = {
      {"resnet18", resnet(ResNetConfig::resnet18()), {"fc."}},
      {"resnet50", resnet(ResNetConfig::resnet50()), {"fc."}},
      {"wide-resnet50-2", resnet(ResNetConfig::wideResnet50()), {"fc."}},
      {"mobilenet-v2",
       [](const nn::Weights& w) { return std::make_unique<InvertedResidualBackbone>(w, mobilenetV2(w)); },
       {"features.18.", "classifier.", "conv_head.", "bn2."}},
      {"efficientnet-lite0",
       [](const nn::Weights& w) { return std::make_unique<InvertedResidualBackbone>(w, efficientnetLite0(w)); },
       {"_conv_head.", "_bn1.", "_fc.", "classifier.", "conv_head.", "bn2."}},
      {"dinov2-vit-s14",
       [](const nn::Weights& w) { return std::make_unique<Dinov2Backbone>(w, Dinov2Config()); },
       {"mask_token", "head."}},
  };
  return all;
}

const Family& familyOf(const std::string& name) {
  std::string known;
  for (const Family& family : families()) {
    if (family.name == name) return family;
    known += (known.empty() ? "" : ", ") + std::string(family.name);
  }
  fail(kInvalidOption, "Expected one of ", known, " for the backbone but received ", name);
}

void removeUnused(TensorMap& tensors, const Family& family) {
  for (auto entry = tensors.begin(); entry != tensors.end();) {
    bool isUnused = endsWith(entry->first, "num_batches_tracked");
    for (const std::string_view start : family.unused) isUnused = isUnused || startsWith(entry->first, start);
    entry = isUnused ? tensors.erase(entry) : std::next(entry);
  }
}

}  // namespace

std::vector<std::string> backboneNames() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.emplace_back(family.name);
  return names;
}

TensorMap readBackboneTensors(const std::string& name, const std::string& file) {
  TensorMap tensors = io::readWeightsFile(file).tensors;
  const std::string recognized = recognizeBackbone(tensors);
  if (!recognized.empty() && recognized != name) {
    fail(kWeightsInvalid, file, " does not hold weights of ", name, ": they look like ", recognized);
  }
  return tensors;
}

std::unique_ptr<Backbone> readBackbone(const std::string& name, const std::string& file, at::Device device) {
  const Family& family = familyOf(name);
  TensorMap tensors = readBackboneTensors(name, file);
  removeUnused(tensors, family);
  const nn::Weights weights = nn::Weights::fromTensors(std::move(tensors), file, at::kFloat, device);
  std::unique_ptr<Backbone> backbone = makeBackbone(name, weights);
  weights.expectAllTaken();
  for (const auto& [tensor, value] : weights.taken()) {
    if (!allFinite(value)) fail(kWeightsInvalid, file, ": the tensor ", tensor, " has values that are not finite");
  }
  return backbone;
}

std::unique_ptr<Backbone> makeBackbone(const std::string& name, const nn::Weights& weights) {
  std::unique_ptr<Backbone> backbone = familyOf(name).make(weights);
  backbone->tensors_ = weights.takenHere();
  return backbone;
}

}  // namespace dan::model
