#include "model/dinov2.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace dan::model {

namespace {

constexpr int64_t kOutputs = 4, kMlpRatio = 4;
constexpr double kVitNormEps = 1e-6;

int64_t nearestMultiple(int64_t side, int64_t of) { return std::max<int64_t>((side + of / 2) / of, 1) * of; }

int64_t gridSide(int64_t cells) { return std::llround(std::sqrt(static_cast<double>(cells))); }

}  // namespace

Dinov2Backbone::Dinov2Backbone(const nn::Weights& weights, const Dinov2Config& config)
    : Backbone(std::vector<int64_t>(kOutputs, config.width)),
      config_(config),
      patches_(weights.scope("patch_embed").scope("proj"), 3, config.width, config.patch, config.patch),
      classToken_(weights.take("cls_token", {1, 1, config.width})),
      norm_(weights.scope("norm"), config.width, kVitNormEps) {
  const at::IntArrayRef shape = weights.shapeOf("pos_embed");
  const int64_t side = shape.size() == 3 ? gridSide(shape[1] - 1) : 0;
  // The training's resolution decides the grid. take() reports any other shape.
  positions_ = weights.take("pos_embed", {1, 1 + side * side, config.width});
  for (int64_t i = 0; i < config.depth; ++i) {
    const nn::Weights block = weights.scope("blocks").scope(std::to_string(i));
    const nn::Weights attention = block.scope("attn"), mlp = block.scope("mlp");
    blocks_.push_back({{block.scope("norm1"), config.width, kVitNormEps},
                       {block.scope("norm2"), config.width, kVitNormEps},
                       {attention.scope("qkv"), config.width, 3 * config.width},
                       {attention.scope("proj"), config.width, config.width},
                       {mlp.scope("fc1"), config.width, kMlpRatio * config.width},
                       {mlp.scope("fc2"), kMlpRatio * config.width, config.width},
                       block.scope("ls1").take("gamma", {config.width}),
                       block.scope("ls2").take("gamma", {config.width})});
  }
}

at::Tensor Dinov2Backbone::positions(int64_t rows, int64_t columns) const {
  const int64_t side = gridSide(positions_.size(1) - 1);
  if (rows == side && columns == side) return positions_;
  const at::Tensor grid = positions_.slice(1, 1).reshape({1, side, side, config_.width}).permute({0, 3, 1, 2});
  const at::Tensor resized = at::_upsample_bicubic2d_aa(grid, {rows, columns}, /*align_corners=*/false);
  return at::cat({positions_.slice(1, 0, 1), resized.flatten(2).transpose(1, 2)}, 1);
}

at::Tensor Dinov2Backbone::attention(const Block& block, const at::Tensor& x) const {
  const int64_t n = x.size(0), tokens = x.size(1);
  // (3, N, heads, tokens, width / heads)
  const at::Tensor qkv = block.qkv(x).reshape({n, tokens, 3, config_.heads, -1}).permute({2, 0, 3, 1, 4});
  const at::Tensor mixed = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
  return block.projection(mixed.transpose(1, 2).reshape({n, tokens, config_.width}));
}

std::vector<at::Tensor> Dinov2Backbone::firstStages(const at::Tensor& images, size_t count) const {
  const int64_t height = nearestMultiple(images.size(2), config_.patch),
                width = nearestMultiple(images.size(3), config_.patch);
  const bool fits = height == images.size(2) && width == images.size(3);
  const at::Tensor grid =
      patches_(fits ? images : at::upsample_bilinear2d(images, {height, width}, /*align_corners=*/false));
  const int64_t n = grid.size(0), rows = grid.size(2), columns = grid.size(3);
  at::Tensor h = at::cat({classToken_.expand({n, -1, -1}), grid.flatten(2).transpose(1, 2)}, 1);
  h = h + positions(rows, columns);
  std::vector<at::Tensor> outputs;
  for (size_t i = 0; i < blocks_.size() && outputs.size() < count; ++i) {
    const Block& block = blocks_[i];
    h = h + block.attentionScale * attention(block, block.norm1(h));
    h = h + block.mlpScale * block.down(at::gelu(block.up(block.norm2(h))));
    if ((i + 1) % (blocks_.size() / kOutputs) != 0) continue;
    outputs.push_back(norm_(h).slice(1, 1).transpose(1, 2).reshape({n, config_.width, rows, columns}));
  }
  return outputs;
}

}  // namespace dan::model
