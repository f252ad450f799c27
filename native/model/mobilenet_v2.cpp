#include <string>

#include "model/inverted_residual.h"

namespace dan::model {

namespace {

// This is table 2 of the paper. Strides count from the stem, which halves the sides.
const std::vector<InvertedResidualStage> kMobileNetStages = {
    {3, 1, 1, 16, 1}, {3, 2, 6, 24, 2},  {3, 2, 6, 32, 3},  {3, 2, 6, 64, 4},
    {3, 1, 6, 96, 3}, {3, 2, 6, 160, 3}, {3, 1, 6, 320, 1},
};
constexpr int64_t kMobileNetStem = 32;

// torchvision numbers the blocks from 1, after the stem.
InvertedResidualNames torchvisionNames(size_t stage, int64_t /*block*/, int64_t index) {
  const std::string prefix = "features." + std::to_string(index + 1) + ".conv.";
  const bool widens = kMobileNetStages[stage].expansion > 1;
  const std::string depthwise = prefix + (widens ? "1." : "0.");
  return {{prefix + "0.0", prefix + "0.1"},
          {depthwise + "0", depthwise + "1"},
          {prefix + (widens ? "2" : "1"), prefix + (widens ? "3" : "2")}};
}

InvertedResidualNames timmMobileNetNames(size_t stage, int64_t block, int64_t /*index*/) {
  return timmBlockNames(kMobileNetStages[stage], stage, block);
}

}  // namespace

InvertedResidualConfig mobilenetV2(const nn::Weights& weights) {
  if (weights.has("conv_stem.weight"))
    return {kMobileNetStem, kMobileNetStages, {"conv_stem", "bn1"}, timmMobileNetNames};
  return {kMobileNetStem, kMobileNetStages, {"features.0.0", "features.0.1"}, torchvisionNames};
}

}  // namespace dan::model
