#include "model/lpips_net.h"

#include <string>

namespace dan::model {

namespace {

const double kShift[] = {-.030, -.088, -.188}, kScale[] = {.458, .448, .450};

at::Tensor unitLength(const at::Tensor& x) { return x / (x.square().sum(1, true).sqrt() + 1e-10); }

std::string feature(int64_t index) { return "features." + std::to_string(index); }

}  // namespace

at::Tensor LpipsNet::Layer::operator()(const at::Tensor& x) const {
  // torchvision rounds the pooled size up for SqueezeNet and down for AlexNet and VGG-16.
  const bool isFire = convolutions.size() == 3;
  const at::Tensor pooled = poolBefore == 0 ? x : at::max_pool2d(x, poolBefore, 2, 0, 1, /*ceil_mode=*/isFire);
  const at::Tensor first = at::relu(convolutions[0](pooled));
  if (!isFire) return first;
  return at::cat({at::relu(convolutions[1](first)), at::relu(convolutions[2](first))}, 1);
}

void LpipsNet::addAlexNet(const nn::Weights& backbone) {
  layers_.push_back({{nn::Conv2d(backbone.scope(feature(0)), 3, 64, 11, 4, 2)}, 0, true});
  layers_.push_back({{nn::Conv2d(backbone.scope(feature(3)), 64, 192, 5, 1, 2)}, 3, true});
  layers_.push_back({{nn::Conv2d(backbone.scope(feature(6)), 192, 384, 3, 1, 1)}, 3, true});
  layers_.push_back({{nn::Conv2d(backbone.scope(feature(8)), 384, 256, 3, 1, 1)}, 0, true});
  layers_.push_back({{nn::Conv2d(backbone.scope(feature(10)), 256, 256, 3, 1, 1)}, 0, true});
}

void LpipsNet::addVgg16(const nn::Weights& backbone) {
  struct Stage {
    int64_t first, width, count;
  };
  constexpr Stage kStages[] = {{0, 64, 2}, {5, 128, 2}, {10, 256, 3}, {17, 512, 3}, {24, 512, 3}};
  int64_t in = 3;
  for (const Stage& stage : kStages) {
    for (int64_t i = 0; i < stage.count; ++i) {
      const nn::Conv2d conv(backbone.scope(feature(stage.first + 2 * i)), in, stage.width, 3, 1, 1);
      layers_.push_back({{conv}, stage.first > 0 && i == 0 ? 2 : 0, i + 1 == stage.count});
      in = stage.width;
    }
  }
}

void LpipsNet::addSqueezeNet(const nn::Weights& backbone) {
  struct Fire {
    int64_t index, in, squeeze, expand;
    bool poolsBefore, tap;
  };
  constexpr Fire kFires[] = {{3, 64, 16, 64, true, false},    {4, 128, 16, 64, false, true},
                             {6, 128, 32, 128, true, false},  {7, 256, 32, 128, false, true},
                             {9, 256, 48, 192, true, true},   {10, 384, 48, 192, false, true},
                             {11, 384, 64, 256, false, true}, {12, 512, 64, 256, false, true}};
  layers_.push_back({{nn::Conv2d(backbone.scope(feature(0)), 3, 64, 3, 2)}, 0, true});
  for (const Fire& shape : kFires) {
    const nn::Weights fire = backbone.scope(feature(shape.index));
    layers_.push_back({{nn::Conv2d(fire.scope("squeeze"), shape.in, shape.squeeze, 1),
                        nn::Conv2d(fire.scope("expand1x1"), shape.squeeze, shape.expand, 1),
                        nn::Conv2d(fire.scope("expand3x3"), shape.squeeze, shape.expand, 3, 1, 1)},
                       shape.poolsBefore ? 3 : 0,
                       shape.tap});
  }
}

LpipsNet::LpipsNet(const nn::Weights& backbone, const nn::Weights& linear) {
  constexpr int64_t kAlexNetKernel = 11;
  if (backbone.has(feature(3) + ".squeeze.weight")) {
    addSqueezeNet(backbone);
  } else if (backbone.shapeOf(feature(0) + ".weight").back() == kAlexNetKernel) {
    addAlexNet(backbone);
  } else {
    addVgg16(backbone);
  }
  for (const Layer& layer : layers_) {
    if (!layer.tap) continue;
    int64_t width = layer.convolutions.back().weight.size(0);
    if (layer.convolutions.size() == 3) width *= 2;  // A fire module concatenates both expansions.
    linear_.push_back(linear.take("lin" + std::to_string(linear_.size()) + ".model.1.weight", {1, width, 1, 1}));
  }
}

std::vector<at::Tensor> LpipsNet::features(const at::Tensor& x) const {
  const auto channel = [&](const double* values) {
    return at::tensor(at::ArrayRef<double>(values, 3), x.options()).view({1, 3, 1, 1});
  };
  at::Tensor h = (x - channel(kShift)) / channel(kScale);
  std::vector<at::Tensor> taps;
  for (const Layer& layer : layers_) {
    h = layer(h);
    if (layer.tap) taps.push_back(unitLength(h));
  }
  return taps;
}

at::Tensor LpipsNet::distance(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) const {
  at::Tensor total;
  for (size_t i = 0; i < linear_.size(); ++i) {
    const at::Tensor distance = at::conv2d((a[i] - b[i]).square(), linear_[i]).mean({1, 2, 3});
    total = total.defined() ? total + distance : distance;
  }
  return total;
}

at::Tensor LpipsNet::distance(const at::Tensor& a, const at::Tensor& b) const {
  return distance(features(a), features(b));
}

}  // namespace dan::model
