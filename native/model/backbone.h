// A backbone is a network that was trained on other pictures, mostly on ImageNet. Detectors compare its features.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/weights.h"

namespace dan::model {

class Backbone {
 public:
  static constexpr size_t kStages = 4;
  virtual ~Backbone() = default;
  // images: (N, 3, H, W), normalised for ImageNet (see imagenet.h), sides of at least 32. Returns the outputs of four
  // stages, from fine to coarse, each (N, C, h, w). Their strides are 4, 8, 16 and 32. A vision transformer gives the
  // outputs of four of its blocks instead, all at the stride of its patches.
  std::vector<at::Tensor> features(const at::Tensor& images) const { return firstStages(images, kStages); }
  // Returns the first `count` of them, and computes no others.
  virtual std::vector<at::Tensor> firstStages(const at::Tensor& images, size_t count) const = 0;
  // Returns C for each stage.
  const std::vector<int64_t>& channels() const { return channels_; }
  // Returns the weights under the names that they were read by, for makeBackbone().
  const TensorMap& tensors() const { return tensors_; }

 protected:
  explicit Backbone(std::vector<int64_t> channels) : channels_(std::move(channels)) {}

 private:
  friend std::unique_ptr<Backbone> makeBackbone(const std::string& name, const nn::Weights& weights);

  std::vector<int64_t> channels_;
  TensorMap tensors_;
};

// The names that readBackbone knows: resnet18, resnet50, wide-resnet50-2, mobilenet-v2, efficientnet-lite0 and
// dinov2-vit-s14.
std::vector<std::string> backboneNames();

// Reads a backbone for inference from a weights file with the parameter names of torchvision, of timm, or of the
// publisher. The last layers, which classify, may be missing. Throws ERR_INVALID_OPTION for an unknown name, and
// ERR_WEIGHTS_INVALID, naming the file and the tensor, for weights that are damaged, not finite, or of another
// architecture. In the last case the error says which one they look like.
std::unique_ptr<Backbone> readBackbone(const std::string& name, const std::string& file, at::Device device);

// Reads the tensors of a backbone's file for a network that is trained. Throws ERR_WEIGHTS_INVALID for damaged weights,
// and for those that look like another architecture.
TensorMap readBackboneTensors(const std::string& name, const std::string& file);

// Makes a backbone of weights with the same names, such as those of a saved detector. Throws like readBackbone, but
// does not look for other architectures and for values that are not finite.
std::unique_ptr<Backbone> makeBackbone(const std::string& name, const nn::Weights& weights);

}  // namespace dan::model
