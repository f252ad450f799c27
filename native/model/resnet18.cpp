#include "model/resnet18.h"

#include <string>

namespace dan::model {

namespace {

constexpr int64_t kStages = 4, kBlocks = 2;
const double kMean[] = {.485, .456, .406}, kDeviation[] = {.229, .224, .225};  // per channel of ImageNet

at::Tensor perChannel(const double* values, const at::Tensor& like) {
  return at::tensor(at::ArrayRef<double>(values, 3), like.options()).view({1, 3, 1, 1});
}

}  // namespace

at::Tensor ResNet18::ConvNorm::operator()(const at::Tensor& x, bool training) const {
  return norm(at::conv2d(x, kernel, {}, stride, kernel.size(2) / 2), training);
}

ResNet18::ConvNorm ResNet18::convNorm(const nn::Weights& conv, const nn::Weights& norm, int64_t in, int64_t out,
                                      int64_t kernel, int64_t stride) {
  return {conv.take("weight", {out, in, kernel, kernel}), nn::BatchNorm2d(norm, out), stride};
}

ResNet18::ResNet18(const nn::Weights& weights, int64_t baseChannels, int64_t classes)
    : stem_(convNorm(weights.scope("conv1"), weights.scope("bn1"), 3, baseChannels, 7, 2)) {
  int64_t in = baseChannels;
  for (int64_t stage = 0; stage < kStages; ++stage) {
    const int64_t out = baseChannels << stage;
    for (int64_t i = 0; i < kBlocks; ++i) {
      const nn::Weights block = weights.scope("layer" + std::to_string(stage + 1)).scope(std::to_string(i));
      const int64_t stride = stage > 0 && i == 0 ? 2 : 1;
      Block& made = blocks_.emplace_back();
      made.first = convNorm(block.scope("conv1"), block.scope("bn1"), in, out, 3, stride);
      made.second = convNorm(block.scope("conv2"), block.scope("bn2"), out, out, 3, 1);
      if (in != out) {
        const nn::Weights shortcut = block.scope("downsample");
        made.shortcut.push_back(convNorm(shortcut.scope("0"), shortcut.scope("1"), in, out, 1, stride));
      }
      in = out;
    }
  }
  classifier_ = nn::Linear(weights.scope("fc"), in, classes);
}

at::Tensor ResNet18::forward(const at::Tensor& x, bool training) const {
  at::Tensor h = (x - perChannel(kMean, x)) / perChannel(kDeviation, x);
  h = at::max_pool2d(at::relu(stem_(h, training)), 3, 2, 1);
  for (const Block& block : blocks_) {
    const at::Tensor inner = block.second(at::relu(block.first(h, training)), training);
    h = at::relu(inner + (block.shortcut.empty() ? h : block.shortcut[0](h, training)));
  }
  return classifier_(h.mean({2, 3}));
}

}  // namespace dan::model
