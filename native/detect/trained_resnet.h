// DevNet and DRA train all of a ResNet, whose weights are below the name "backbone".
#pragma once

#include <string>

#include "detect/detector.h"
#include "model/resnet.h"

namespace dan::detect {

// Throws ERR_INVALID_OPTION, naming the backbones that can be trained, for any other.
model::ResNetConfig trainedResNetConfig(const DetectorSettings& settings);

// Gives the ResNet its first weights: those of `file`, or drawn ones if that is empty. Other tensors stay. Throws
// ERR_WEIGHTS_INVALID for a file that lacks a tensor.
void startResNet(const TensorMap& weights, const std::string& file, at::Generator generator);

}  // namespace dan::detect
