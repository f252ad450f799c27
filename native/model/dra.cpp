#include "model/dra.h"

namespace dan::model {

namespace {

constexpr int64_t kHidden = 256;

int64_t lastChannels(const ResNetConfig& config) { return config.channels(ResNetConfig::kStages - 1); }

}  // namespace

Dra::Dra(const nn::Weights& weights, const ResNetConfig& config)
    : net_(weights.scope("backbone"), config),
      holisticFirst_(weights.scope("holistic_head.fc1"), lastChannels(config), kHidden),
      holisticSecond_(weights.scope("holistic_head.fc2"), kHidden, 1),
      seen_(weights.scope("seen_head.scoring"), lastChannels(config)),
      pseudo_(weights.scope("pseudo_head.scoring"), lastChannels(config)),
      residual_(weights.scope("composite_head.scoring"), lastChannels(config)),
      residualConv_(weights.scope("composite_head.conv.0"), lastChannels(config), lastChannels(config), 3, 1, 1),
      residualNorm_(weights.scope("composite_head.conv.1"), lastChannels(config)) {}

std::vector<at::Tensor> Dra::features(const at::Tensor& images, bool training) const {
  return featuresAtTwoScales(net_, images, training);
}

std::vector<Dra::Heads> Dra::heads(const std::vector<Scale>& scales, bool training) const {
  std::vector<Heads> heads;
  for (const Scale& scale : scales) {
    const at::Tensor hidden = at::relu(holisticFirst_(scale.features.mean({2, 3})));
    const at::Tensor difference = residualConv_(scale.reference - scale.features);
    heads.push_back({holisticSecond_(hidden).squeeze(1).abs(), seen_(scale.features), pseudo_(scale.features),
                     residual_(at::relu(residualNorm_(difference, training)))});
  }
  return heads;
}

DraScores draScores(const std::vector<Dra::Heads>& heads) {
  const auto averaged = [&](const auto& scoreOf) {
    std::vector<at::Tensor> scores;
    for (const Dra::Heads& scale : heads) scores.push_back(scoreOf(scale));
    return at::stack(scores).mean(0);
  };
  return {averaged([](const Dra::Heads& scale) { return scale.holistic; }),
          averaged([](const Dra::Heads& scale) { return topTenthMean(scale.seen); }),
          averaged([](const Dra::Heads& scale) { return topTenthMean(scale.pseudo); }),
          averaged([](const Dra::Heads& scale) { return topTenthMean(scale.residual); })};
}

}  // namespace dan::model
