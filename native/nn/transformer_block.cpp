#include "nn/transformer_block.h"

#include "nn/gradient_checkpoint.h"
#include "ops/geglu.h"

namespace dan::nn {

namespace {

constexpr int64_t kFeedForwardFactor = 4;

// SD 1.x files store the projection as a 1x1 convolution (C, C, 1, 1), SD 2.x files as a linear layer (C, C).
Linear tokenProjection(const Weights& weights, int64_t channels, bool isLinear) {
  if (isLinear) return Linear(weights, channels, channels);
  Linear projection;
  projection.weight = weights.take("weight", {channels, channels, 1, 1});
  projection.bias = weights.take("bias", {channels});
  return projection;
}

}  // namespace

TransformerBlock::TransformerBlock(const Weights& weights, const std::string& name, int64_t width, int64_t contextWidth,
                                   int64_t heads)
    : norm1_(weights.scope("norm1"), width),
      norm2_(weights.scope("norm2"), width),
      norm3_(weights.scope("norm3"), width),
      selfAttention_(weights.scope("attn1"), name + ".attn1", width, width, heads, true),
      crossAttention_(weights.scope("attn2"), name + ".attn2", width, contextWidth, heads, false),
      feedForwardIn_(weights.scope("ff.net.0.proj"), width, 2 * kFeedForwardFactor * width),
      feedForwardOut_(weights.scope("ff.net.2"), kFeedForwardFactor * width, width) {}

at::Tensor TransformerBlock::operator()(at::Tensor tokens, const at::Tensor& context,
                                        const AttentionFunction& attention) const {
  tokens = addedTo(attention(selfAttention_, norm1_(tokens), {}), tokens);
  tokens = addedTo(attention(crossAttention_, norm2_(tokens), context), tokens);
  return checkpointed(
      [this](const std::vector<at::Tensor>& in) {
        return addedTo(feedForwardOut_(ops::geglu(feedForwardIn_(norm3_(in[0])))), in[0]);
      },
      {tokens});
}

void TransformerBlock::collectLayers(std::vector<const AttentionLayer*>& layers) const {
  layers.push_back(&selfAttention_);
  layers.push_back(&crossAttention_);
}

Transformer2d::Transformer2d(const Weights& weights, const std::string& name, int64_t channels, int64_t contextWidth,
                             int64_t heads, int64_t depth, int64_t groups, bool linearProjection)
    : norm_(weights.scope("norm"), channels, groups, 1e-6),
      projIn_(tokenProjection(weights.scope("proj_in"), channels, linearProjection)),
      projOut_(tokenProjection(weights.scope("proj_out"), channels, linearProjection)) {
  blocks_.reserve(depth);
  for (int64_t i = 0; i < depth; ++i) {
    const std::string block = "transformer_blocks." + std::to_string(i);
    blocks_.emplace_back(weights.scope(block), name + "." + block, channels, contextWidth, heads);
  }
}

at::Tensor Transformer2d::operator()(const at::Tensor& x, const at::Tensor& context,
                                     const AttentionFunction& attention) const {
  // Channels-last images are already token-major, so these two changes of shape move no memory.
  at::Tensor tokens = projIn_(norm_(x).permute({0, 2, 3, 1}).flatten(1, 2));
  for (const TransformerBlock& block : blocks_) tokens = block(tokens, context, attention);
  return addedTo(projOut_(tokens).unflatten(1, {x.size(2), x.size(3)}).permute({0, 3, 1, 2}), x);
}

void Transformer2d::collectLayers(std::vector<const AttentionLayer*>& layers) const {
  for (const TransformerBlock& block : blocks_) block.collectLayers(layers);
}

}  // namespace dan::nn
