#include "model/reverse_distillation.h"

#include "core/error.h"

namespace dan::model {

namespace {

constexpr int64_t kExpansion = 4;  // A bottleneck block puts out this multiple of its planes.
constexpr size_t kDistilledStages = 3;

void expectHalving(const std::vector<at::Tensor>& stages) {
  bool halves = stages.size() == kDistilledStages && stages.back().size(2) % 2 == 0 && stages.back().size(3) % 2 == 0;
  for (size_t i = 1; halves && i < kDistilledStages; ++i) {
    for (const int64_t side : {2, 3}) halves = halves && stages[i - 1].size(side) == 2 * stages[i].size(side);
  }
  if (!halves) {
    fail(kInvalidOption, "Reverse distillation needs images with sides that are multiples of 32, and a backbone whose ",
         "stages have strides of 4, 8 and 16");
  }
}

}  // namespace

ReverseDistillationConfig ReverseDistillationConfig::of(const std::string& backbone, std::vector<int64_t> channels) {
  ReverseDistillationConfig config;
  config.channels = std::move(channels);
  const bool wide = backbone == "wide-resnet50-2";
  if (wide || backbone == "resnet50") {
    config.blocks = {3, 4, 6};
    config.embeddingBlocks = 3;
    config.bottleneck = true;
    config.widthFactor = wide ? 2 : 1;
  }
  return config;
}

at::Tensor ReverseDistillation::DoublingConvNorm::operator()(const at::Tensor& x, bool training) const {
  return norm(at::conv_transpose2d(x, kernel, {}, /*stride=*/2), training);
}

at::Tensor ReverseDistillation::Block::operator()(const at::Tensor& x, bool training) const {
  at::Tensor h = x;
  for (size_t i = 0; i < layers.size(); ++i) h = layers[i](i == 0 ? h : at::relu(h), training);
  return at::relu(h + (shortcut ? shortcut(x, training) : x));
}

ReverseDistillation::Layer ReverseDistillation::layer(const nn::Weights& conv, const nn::Weights& norm, int64_t in,
                                                      int64_t out, int64_t size, Resize resize) {
  if (resize == Resize::kDouble) {
    return DoublingConvNorm{conv.take("weight", {in, out, 2, 2}), nn::BatchNorm2d(norm, out)};
  }
  return nn::ConvNorm(conv, norm, in, out, size, resize == Resize::kHalve ? 2 : 1);
}

ReverseDistillation::Block ReverseDistillation::block(const nn::Weights& weights, int64_t in, int64_t out,
                                                      Resize resize) const {
  const auto numbered = [&](int64_t i, int64_t from, int64_t to, int64_t size, Resize how) {
    const std::string number = std::to_string(i);
    return layer(weights.scope("conv" + number), weights.scope("bn" + number), from, to, size, how);
  };
  Block made;
  if (config_.bottleneck) {
    const int64_t width = out / kExpansion * config_.widthFactor;
    made.layers = {numbered(1, in, width, 1, Resize::kNone), numbered(2, width, width, 3, resize),
                   numbered(3, width, out, 1, Resize::kNone)};
  } else {
    made.layers = {numbered(1, in, out, 3, resize), numbered(2, out, out, 3, Resize::kNone)};
  }
  if (resize != Resize::kNone) {
    const nn::Weights shortcut = weights.scope(resize == Resize::kDouble ? "upsample" : "downsample");
    made.shortcut = layer(shortcut.scope("0"), shortcut.scope("1"), in, out, 1, resize);
  }
  return made;
}

std::vector<ReverseDistillation::Block> ReverseDistillation::blocks(const nn::Weights& weights, int64_t count,
                                                                    int64_t in, int64_t out, Resize resize) const {
  std::vector<Block> made = {block(weights.scope("0"), in, out, resize)};
  for (int64_t i = 1; i < count; ++i) made.push_back(block(weights.scope(std::to_string(i)), out, out, Resize::kNone));
  return made;
}

ReverseDistillation::ReverseDistillation(const nn::Weights& weights, const ReverseDistillationConfig& config)
    : config_(config) {
  if (config.channels.size() != kDistilledStages) {
    fail(kInvalidOption, "Expected a backbone with three stages for reverse distillation but received ",
         config.channels.size());
  }
  const int64_t fine = config.channels[0], middle = config.channels[1], coarse = config.channels[2];
  const nn::Weights embedding = weights.scope("bottleneck"), decoder = weights.scope("decoder");
  fineFirst_ = nn::ConvNorm(embedding.scope("conv1"), embedding.scope("bn1"), fine, middle, 3, 2);
  fineSecond_ = nn::ConvNorm(embedding.scope("conv2"), embedding.scope("bn2"), middle, coarse, 3, 2);
  middle_ = nn::ConvNorm(embedding.scope("conv3"), embedding.scope("bn3"), middle, coarse, 3, 2);
  embedding_ = blocks(embedding.scope("bn_layer"), config.embeddingBlocks, 3 * coarse, 2 * coarse, Resize::kHalve);
  const int64_t widths[] = {2 * coarse, coarse, middle, fine};
  for (size_t i = 0; i < kDistilledStages; ++i) {
    decoder_.push_back(blocks(decoder.scope("layer" + std::to_string(i + 1)), config.blocks[i], widths[i],
                              widths[i + 1], Resize::kDouble));
  }
}

std::vector<at::Tensor> ReverseDistillation::forward(const std::vector<at::Tensor>& stages, bool training) const {
  expectHalving(stages);
  const at::Tensor fine = at::relu(fineSecond_(at::relu(fineFirst_(stages[0], training)), training));
  at::Tensor h = at::cat({fine, at::relu(middle_(stages[1], training)), stages[2]}, 1);
  for (const Block& one : embedding_) h = one(h, training);
  std::vector<at::Tensor> decoded(kDistilledStages);
  for (size_t i = 0; i < kDistilledStages; ++i) {
    for (const Block& one : decoder_[i]) h = one(h, training);
    decoded[kDistilledStages - 1 - i] = h;
  }
  return decoded;
}

}  // namespace dan::model
