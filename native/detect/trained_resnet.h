// DevNet and DRA train all of a ResNet, whose weights are below the name "backbone".
#pragma once

#include <string>

#include "detect/detector.h"
#include "model/resnet.h"

namespace dan::detect {

// Throws ERR_INVALID_OPTION, naming the backbones that can be trained, for any other.
model::ResNetConfig trainedResNetConfig(const DetectorSettings& settings);

// Gives the ResNet its first weights: those of the backbone's file, or drawn ones if there is none. Other tensors stay.
// Throws ERR_WEIGHTS_INVALID for a file of another architecture, without a tensor, or with values that are not finite.
void startResNet(const TensorMap& weights, const DetectorSettings& settings, at::Generator generator);

}  // namespace dan::detect
