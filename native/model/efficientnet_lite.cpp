// EfficientNet-Lite is EfficientNet (Tan and Le, arXiv 1905.11946) without squeeze-and-excitation and with ReLU6.
#include <string>

#include "model/inverted_residual.h"

namespace dan::model {

namespace {

const std::vector<InvertedResidualStage> kLiteStages = {
    {3, 1, 1, 16, 1},  {3, 2, 6, 24, 2},  {5, 2, 6, 40, 2},  {3, 2, 6, 80, 3},
    {5, 1, 6, 112, 3}, {5, 2, 6, 192, 4}, {3, 1, 6, 320, 1},
};
constexpr int64_t kLiteStem = 32;
constexpr double kTensorFlowEps = 1e-3;

InvertedResidualNames publishedNames(size_t stage, int64_t /*block*/, int64_t index) {
  const std::string prefix = "_blocks." + std::to_string(index) + "._";
  return {{prefix + "expand_conv", prefix + "bn0"},
          {prefix + "depthwise_conv", prefix + "bn1"},
          {prefix + "project_conv", prefix + "bn2"}};
}

InvertedResidualNames timmLiteNames(size_t stage, int64_t block, int64_t /*index*/) {
  return timmBlockNames(kLiteStages[stage], stage, block);
}

}  // namespace

InvertedResidualConfig efficientnetLite0(const nn::Weights& weights) {
  if (weights.has("_conv_stem.weight")) {
    return {kLiteStem,
            kLiteStages,
            {"_conv_stem", "_bn0"},
            publishedNames,
            kTensorFlowEps,
            /*padsAsTensorFlow=*/true,
            /*takesSignedPixels=*/true};
  }
  return {kLiteStem, kLiteStages, {"conv_stem", "bn1"}, timmLiteNames};
}

}  // namespace dan::model
