// These checks hold for every detector that learns by gradients.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "detect/detector.h"

namespace dan::tests {

// Returns square pictures of dim noise. With defects each has a bright box, and the mask of it.
std::shared_ptr<augment::PixelPool> noisePool(int64_t count, int64_t side, bool defects, uint64_t seed);
// Good pictures and defects of `side` pixels. Without `defects` there are good pictures only.
detect::FitData fitData(int64_t side, bool defects);
// A short fit with a width of 8, or as `channels` says.
detect::DetectorSettings shortFit(const std::string& name, const std::string& backbone, uint64_t seed,
                                  int64_t channels = 8);
// Writes a ResNet-18 of torchvision's sizes with random weights.
void writeRandomResNet18(const std::string& path);

using MakeDetector = std::function<std::unique_ptr<detect::Detector>(uint64_t seed)>;
// A fit that was interrupted after half of `steps` and went on from its checkpoint scores bit for bit like one that was
// not. Another seed gives other scores. A cancelled task ends a step before it changes anything.
void expectResumable(const MakeDetector& make, int64_t steps, const at::Tensor& images);
// A detector that was saved and loaded scores bit for bit like before.
void expectSavable(const detect::Detector& detector, const at::Tensor& images);

}  // namespace dan::tests
