#include "detect/trained_resnet.h"

#include "core/finite.h"
#include "core/text.h"
#include "detect/kaiming_weights.h"
#include "model/backbone.h"
#include "nn/weights.h"

namespace dan::detect {

model::ResNetConfig trainedResNetConfig(const DetectorSettings& settings) {
  if (settings.backbone == "resnet18") return model::ResNetConfig::resnet18(settings.training.channels);
  if (settings.backbone == "resnet50") return model::ResNetConfig::resnet50();
  if (settings.backbone == "wide-resnet50-2") return model::ResNetConfig::wideResnet50();
  fail(kInvalidOption, "The detector ", settings.name, " trains its backbone: expected resnet18, resnet50 or ",
       "wide-resnet50-2 but received ", settings.backbone);
}

void startResNet(const TensorMap& weights, const DetectorSettings& settings, at::Generator generator) {
  const std::string prefix = "backbone.";
  TensorMap backbone;
  for (const auto& [name, tensor] : weights) {
    if (startsWith(name, prefix)) backbone[name.substr(prefix.size())] = tensor;
  }
  const std::string& file = settings.backboneFile;
  if (file.empty()) return drawKaimingWeights(backbone, generator);
  const nn::Weights read =
      nn::Weights::fromTensors(model::readBackboneTensors(settings.backbone, file), file, at::kFloat);
  for (const auto& [name, tensor] : backbone) at::Tensor(tensor).copy_(read.take(name, tensor.sizes()));
  for (const auto& [name, tensor] : backbone) {
    if (!allFinite(tensor)) fail(kWeightsInvalid, file, ": the tensor ", name, " has values that are not finite");
  }
}

}  // namespace dan::detect
