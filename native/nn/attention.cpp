#include "nn/attention.h"

#include "ops/attention.h"

namespace dan::nn {

at::Tensor multiHeadAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                              bool causal) {
  return causal ? ops::attentionPlain(q, k, v, heads, causal) : ops::attention(q, k, v, heads);
}

AttentionLayer::AttentionLayer(const Weights& weights, std::string name, int64_t width, int64_t contextWidth,
                               int64_t heads, bool isSelfAttention)
    : name(std::move(name)),
      width(width),
      contextWidth(contextWidth),
      heads(heads),
      isSelfAttention(isSelfAttention),
      toQ(weights.scope("to_q"), width, width, false),
      toK(weights.scope("to_k"), contextWidth, width, false),
      toV(weights.scope("to_v"), contextWidth, width, false),
      toOut(weights.scope("to_out.0"), width, width) {}

at::Tensor plainAttention(const AttentionLayer& layer, const at::Tensor& hiddenStates, const at::Tensor& context) {
  const at::Tensor& source = context.defined() ? context : hiddenStates;
  return layer.toOut(multiHeadAttention(layer.toQ(hiddenStates), layer.toK(source), layer.toV(source), layer.heads));
}

}  // namespace dan::nn
