#include "model/devnet.h"

namespace dan::model {

DevNet::DevNet(const nn::Weights& weights, const ResNetConfig& config)
    : net_(weights.scope("backbone"), config),
      head_(weights.scope("conv"), config.channels(ResNetConfig::kStages - 1)) {}

std::vector<at::Tensor> DevNet::forward(const at::Tensor& images, bool training) const {
  std::vector<at::Tensor> maps;
  for (const at::Tensor& features : featuresAtTwoScales(net_, images, training)) maps.push_back(head_(features));
  return maps;
}

at::Tensor DevNet::scores(const std::vector<at::Tensor>& maps) {
  std::vector<at::Tensor> scores;
  for (const at::Tensor& map : maps) scores.push_back(topTenthMean(map));
  return at::stack(scores).mean(0);
}

}  // namespace dan::model
