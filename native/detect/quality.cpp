#include "detect/quality.h"

#include <ATen/core/grad_mode.h>

#include <functional>
#include <memory>
#include <vector>

#include "core/finite.h"
#include "io/weights_file.h"
#include "metrics/generation.h"
#include "model/backbone.h"
#include "model/imagenet.h"
#include "model/inception.h"
#include "model/lpips_net.h"

namespace dan::detect {

namespace {

nn::Weights weightsIn(const std::string& path, at::Device device) {
  return nn::Weights::fromTensors(io::readWeightsFile(path).tensors, path, at::kFloat, device);
}

// (1, 3, H, W) in 0 .. 1
at::Tensor toBatch(const at::Tensor& image, at::Device device) {
  return image.permute({2, 0, 1}).unsqueeze(0).to(device, at::kFloat) / 255;
}

// Maps (1, 3, H, W) in 0 .. 1 to (1, D).
using ToFeatures = std::function<at::Tensor(const at::Tensor&)>;

ToFeatures readNetwork(const std::string& name, const std::string& weights, at::Device device) {
  if (name == "inception-v3") {
    const auto net = std::make_shared<const model::InceptionV3>(weightsIn(weights, device));
    return [net](const at::Tensor& image) { return net->features(image); };
  }
  const std::shared_ptr<const model::Backbone> backbone = model::readBackbone(name, weights, device);
  return [backbone](const at::Tensor& image) {
    constexpr int64_t kSide = 224;  // of the images that these networks were trained on
    const at::Tensor resized = at::_upsample_bilinear2d_aa(image, {kSide, kSide}, /*align_corners=*/false);
    return backbone->features(model::normalizeForImagenet(resized)).back().mean({2, 3});
  };
}

using Features = std::vector<at::Tensor>;

Features featuresOf(const model::LpipsNet& net, const at::Tensor& image, at::Device device) {
  return net.features(2 * toBatch(image, device) - 1);
}

}  // namespace

double inceptionScoreOf(const Images& images, const std::string& weights, at::Device device, const Task& task) {
  const at::NoGradGuard noGrad;
  const model::InceptionV3 net(weightsIn(weights, device));
  std::vector<at::Tensor> probabilities;
  for (const at::Tensor& image : images) {
    task.checkCancelled();
    probabilities.push_back(at::softmax(net.forward(toBatch(image, device)), 1).cpu());
  }
  const at::Tensor all = at::cat(probabilities);
  expectFinite(all, weights);
  return metrics::inceptionScore(all, 1).mean;
}

at::Tensor imageFeaturesOf(const Images& images, const std::string& network, const std::string& weights,
                           at::Device device, const Task& task) {
  const at::NoGradGuard noGrad;
  const ToFeatures toFeatures = readNetwork(network, weights, device);
  std::vector<at::Tensor> features;
  for (const at::Tensor& image : images) {
    task.checkCancelled();
    features.push_back(toFeatures(toBatch(image, device)).cpu());
  }
  const at::Tensor all = at::cat(features);
  expectFinite(all, weights);
  return all;
}

double icLpipsOf(const Images& generated, const Images& real, const LpipsFiles& files, at::Device device,
                 const Task& task) {
  const at::NoGradGuard noGrad;
  const model::LpipsNet net(weightsIn(files.backbone, device), weightsIn(files.linear, device));
  std::vector<Features> references;
  for (const at::Tensor& image : real) references.push_back(featuresOf(net, image, device));
  const auto count = static_cast<int64_t>(generated.size());
  const at::Tensor toReferences = at::empty({count, static_cast<int64_t>(real.size())});
  const at::Tensor pairwise = at::zeros({count, count});
  for (int64_t i = 0; i < count; ++i) {
    task.checkCancelled();
    const Features features = featuresOf(net, generated[static_cast<size_t>(i)], device);
    for (size_t r = 0; r < references.size(); ++r) {
      toReferences[i][static_cast<int64_t>(r)] = net.distance(features, references[r])[0].cpu();
    }
  }
  expectFinite(toReferences, c10::str(files.backbone, " with ", files.linear));
  // We keep the features of one cluster at a time, because those of all images may exceed the memory.
  for (const at::Tensor& members : metrics::clusterMembers(toReferences)) {
    std::vector<Features> features;
    for (int64_t i = 0; i < members.size(0); ++i) {
      task.checkCancelled();
      const int64_t index = members[i].item<int64_t>();
      features.push_back(featuresOf(net, generated[static_cast<size_t>(index)], device));
      for (int64_t j = 0; j < i; ++j) {
        pairwise[members[j].item<int64_t>()][index] =
            net.distance(features.back(), features[static_cast<size_t>(j)])[0].cpu();
      }
    }
  }
  return metrics::icLpips(toReferences, pairwise).value;
}

}  // namespace dan::detect
