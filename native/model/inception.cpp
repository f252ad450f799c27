#include "model/inception.h"

#include <string>

namespace dan::model {

namespace {

using Unit = InceptionV3::Unit;
using Block = InceptionV3::Block;

constexpr double kInceptionNormEps = 1e-3;
constexpr int64_t kInceptionSide = 299, kImageNetClasses = 1000, kInceptionFeatures = 2048;

struct Kernel {
  int64_t height, width;
};
constexpr Kernel kPoint = {1, 1}, kThree = {3, 3}, kFive = {5, 5}, kRow = {1, 7}, kColumn = {7, 1};

Unit unit(const nn::Weights& weights, const std::string& name, int64_t in, int64_t out, Kernel kernel,
          int64_t stride = 1, bool padded = true) {
  const nn::Weights scope = weights.scope(name);
  return {scope.scope("conv").take("weight", {out, in, kernel.height, kernel.width}),
          nn::BatchNorm2d(scope.scope("bn"), out, kInceptionNormEps), stride, padded};
}

Unit halving(const nn::Weights& weights, const std::string& name, int64_t in, int64_t out) {
  return unit(weights, name, in, out, kThree, 2, /*padded=*/false);
}

Block blockA(const nn::Weights& w, int64_t in, int64_t pooled) {
  return {{{{unit(w, "branch1x1", in, 64, kPoint)}, {}},
           {{unit(w, "branch5x5_1", in, 48, kPoint), unit(w, "branch5x5_2", 48, 64, kFive)}, {}},
           {{unit(w, "branch3x3dbl_1", in, 64, kPoint), unit(w, "branch3x3dbl_2", 64, 96, kThree),
             unit(w, "branch3x3dbl_3", 96, 96, kThree)},
            {}}},
          {unit(w, "branch_pool", in, pooled, kPoint)}};
}

Block blockB(const nn::Weights& w) {
  return {{{{halving(w, "branch3x3", 288, 384)}, {}},
           {{unit(w, "branch3x3dbl_1", 288, 64, kPoint), unit(w, "branch3x3dbl_2", 64, 96, kThree),
             halving(w, "branch3x3dbl_3", 96, 96)},
            {}}},
          {}};
}

Block blockC(const nn::Weights& w, int64_t inner) {
  return {{{{unit(w, "branch1x1", 768, 192, kPoint)}, {}},
           {{unit(w, "branch7x7_1", 768, inner, kPoint), unit(w, "branch7x7_2", inner, inner, kRow),
             unit(w, "branch7x7_3", inner, 192, kColumn)},
            {}},
           {{unit(w, "branch7x7dbl_1", 768, inner, kPoint), unit(w, "branch7x7dbl_2", inner, inner, kColumn),
             unit(w, "branch7x7dbl_3", inner, inner, kRow), unit(w, "branch7x7dbl_4", inner, inner, kColumn),
             unit(w, "branch7x7dbl_5", inner, 192, kRow)},
            {}}},
          {unit(w, "branch_pool", 768, 192, kPoint)}};
}

Block blockD(const nn::Weights& w) {
  return {{{{unit(w, "branch3x3_1", 768, 192, kPoint), halving(w, "branch3x3_2", 192, 320)}, {}},
           {{unit(w, "branch7x7x3_1", 768, 192, kPoint), unit(w, "branch7x7x3_2", 192, 192, kRow),
             unit(w, "branch7x7x3_3", 192, 192, kColumn), halving(w, "branch7x7x3_4", 192, 192)},
            {}}},
          {}};
}

Block blockE(const nn::Weights& w, int64_t in) {
  const Kernel row = {1, 3}, column = {3, 1};
  return {{{{unit(w, "branch1x1", in, 320, kPoint)}, {}},
           {{unit(w, "branch3x3_1", in, 384, kPoint)},
            {unit(w, "branch3x3_2a", 384, 384, row), unit(w, "branch3x3_2b", 384, 384, column)}},
           {{unit(w, "branch3x3dbl_1", in, 448, kPoint), unit(w, "branch3x3dbl_2", 448, 384, kThree)},
            {unit(w, "branch3x3dbl_3a", 384, 384, row), unit(w, "branch3x3dbl_3b", 384, 384, column)}}},
          {unit(w, "branch_pool", in, 192, kPoint)}};
}

at::Tensor through(const InceptionV3::Chain& chain, at::Tensor x) {
  for (const Unit& unit : chain) x = unit(x);
  return x;
}

}  // namespace

at::Tensor InceptionV3::Unit::operator()(const at::Tensor& x) const {
  const std::vector<int64_t> padding = {padded ? kernel.size(2) / 2 : 0, padded ? kernel.size(3) / 2 : 0};
  return at::relu(norm(at::conv2d(x, kernel, {}, stride, padding), /*training=*/false));
}

at::Tensor InceptionV3::Block::operator()(const at::Tensor& x) const {
  std::vector<at::Tensor> outputs;
  for (const Branch& branch : branches) {
    const at::Tensor h = through(branch.chain, x);
    if (branch.fork.empty()) outputs.push_back(h);
    for (const Unit& unit : branch.fork) outputs.push_back(unit(h));
  }
  outputs.push_back(afterPool.empty() ? at::max_pool2d(x, 3, 2) : through(afterPool, at::avg_pool2d(x, 3, 1, 1)));
  return at::cat(outputs, 1);
}

InceptionV3::InceptionV3(const nn::Weights& w)
    : beforePool_{unit(w, "Conv2d_1a_3x3", 3, 32, kThree, 2, false), unit(w, "Conv2d_2a_3x3", 32, 32, kThree, 1, false),
                  unit(w, "Conv2d_2b_3x3", 32, 64, kThree)},
      afterPool_{unit(w, "Conv2d_3b_1x1", 64, 80, kPoint), unit(w, "Conv2d_4a_3x3", 80, 192, kThree, 1, false)},
      blocks_{blockA(w.scope("Mixed_5b"), 192, 32),
              blockA(w.scope("Mixed_5c"), 256, 64),
              blockA(w.scope("Mixed_5d"), 288, 64),
              blockB(w.scope("Mixed_6a")),
              blockC(w.scope("Mixed_6b"), 128),
              blockC(w.scope("Mixed_6c"), 160),
              blockC(w.scope("Mixed_6d"), 160),
              blockC(w.scope("Mixed_6e"), 192),
              blockD(w.scope("Mixed_7a")),
              blockE(w.scope("Mixed_7b"), 1280),
              blockE(w.scope("Mixed_7c"), kInceptionFeatures)},
      classifier_(w.scope("fc"), kInceptionFeatures, kImageNetClasses) {}

at::Tensor InceptionV3::features(const at::Tensor& x) const {
  const at::Tensor sized =
      at::upsample_bilinear2d(2 * x - 1, {kInceptionSide, kInceptionSide}, /*align_corners=*/false);
  at::Tensor h = at::max_pool2d(through(beforePool_, sized), 3, 2);
  h = at::max_pool2d(through(afterPool_, h), 3, 2);
  for (const Block& block : blocks_) h = block(h);
  return h.mean({2, 3});
}

}  // namespace dan::model
