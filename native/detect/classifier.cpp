#include "detect/classifier.h"

#include <cmath>

#include "core/finite.h"
#include "core/random.h"
#include "detect/batches.h"
#include "io/weights_file.h"

namespace dan::detect {

namespace {

constexpr const char* kLastLayer = "fc.";

bool isLastLayer(const std::string& name) { return name.rfind(kLastLayer, 0) == 0; }

void initialize(const TensorMap& weights, at::Generator generator) {
  for (const auto& [name, weight] : weights) {
    at::Tensor tensor = weight;
    if (tensor.dim() == 4) {
      const auto fanOut = static_cast<double>(tensor.size(0) * tensor.size(2) * tensor.size(3));
      tensor.copy_(std::sqrt(2 / fanOut) * randn(tensor.sizes(), generator));
    } else if (name.find("running_var") != std::string::npos) {
      tensor.fill_(1);
    }
  }
}

// Copies the weights of the file into all layers but the last, which keeps its fresh values.
void loadBackbone(const TensorMap& weights, const std::string& path) {
  const nn::Weights file = nn::Weights::fromTensors(io::readWeightsFile(path).tensors, path, at::kFloat);
  for (const auto& [name, weight] : weights) {
    if (!isLastLayer(name)) at::Tensor(weight).copy_(file.take(name, weight.sizes()));
  }
}

}  // namespace

Classifier::Classifier(LearnerOptions options, std::unique_ptr<DefectSource> defects, int64_t classes,
                       const std::string& backbone, at::Device device)
    : Learner(options), device_(device), defects_(std::move(defects)) {
  if (!defects_->hasTypes()) fail(kDatasetInvalid, "Made-up defects have no types to tell apart");
  const nn::Weights weights = nn::Weights::random(makeGenerator(options.seed), at::kFloat, device);
  net_ = std::make_unique<model::ResNetClassifier>(weights, model::ResNetConfig::resnet18(options.channels), classes);
  initialize(weights.taken(), weightsGenerator());
  if (!backbone.empty()) loadBackbone(weights.taken(), backbone);
  train({{weights.taken()}});
}

Example Classifier::draw(Rng& rng) const { return defects_->draw(rng); }

at::Tensor Classifier::loss(const std::vector<Example>& examples, Rng&) const {
  std::vector<at::Tensor> images;
  std::vector<int64_t> types;
  for (const Example& example : examples) {
    images.push_back(example.image);
    types.push_back(example.type);
  }
  const at::Tensor batch = at::stack(images).to(device_).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor target = at::tensor(types, at::kLong).to(device_);
  return at::cross_entropy_loss(net_->forward(batch, /*training=*/true), target);
}

at::Tensor Classifier::predict(const at::Tensor& images, const Task& task) const {
  std::vector<at::Tensor> outputs;
  inBatches(images, options().batchSize, device_, task,
            [&](const at::Tensor& batch) { outputs.push_back(at::softmax(net_->forward(batch), 1).cpu()); });
  const at::Tensor all = at::cat(outputs);
  expectFinite(all, "The classifier");
  return all;
}

}  // namespace dan::detect
