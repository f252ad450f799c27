#include "model/text_encoder.h"

#include "core/error.h"
#include "nn/attention.h"

namespace dan::model {

TextEncoder::TextEncoder(const nn::Weights& weights, const TextConfig& config)
    : config_(config), dtype_(weights.dtype()) {
  const int64_t width = config.hiddenSize;
  const nn::Weights model = weights.scope("text_model");
  tokenEmbedding_ = model.take("embeddings.token_embedding.weight", {config.vocabSize, width});
  positionEmbedding_ = model.take("embeddings.position_embedding.weight", {config.maxLength, width});
  for (int64_t i = 0; i < config.numLayers; ++i) {
    const nn::Weights layer = model.scope("encoder.layers." + std::to_string(i));
    const nn::Weights attention = layer.scope("self_attn");
    layers_.push_back(
        {nn::LayerNorm(layer.scope("layer_norm1"), width, config.layerNormEps),
         nn::LayerNorm(layer.scope("layer_norm2"), width, config.layerNormEps),
         nn::Linear(attention.scope("q_proj"), width, width), nn::Linear(attention.scope("k_proj"), width, width),
         nn::Linear(attention.scope("v_proj"), width, width), nn::Linear(attention.scope("out_proj"), width, width),
         nn::Linear(layer.scope("mlp.fc1"), width, config.intermediateSize),
         nn::Linear(layer.scope("mlp.fc2"), config.intermediateSize, width)});
  }
  finalNorm_ = nn::LayerNorm(model.scope("final_layer_norm"), width, config.layerNormEps);
}

at::Tensor TextEncoder::attend(int64_t index, const at::Tensor& x, const ProjectionHook& hook) const {
  const Layer& layer = layers_[index];
  const auto project = [&](const nn::Linear& linear, const char* name, const at::Tensor& input) {
    const at::Tensor output = linear(input);
    return hook ? hook(index, name, input, output) : output;
  };
  const at::Tensor attended = nn::multiHeadAttention(project(layer.q, "q", x), project(layer.k, "k", x),
                                                     project(layer.v, "v", x), config_.heads, true);
  return project(layer.out, "out", attended);
}

at::Tensor TextEncoder::forward(const at::Tensor& inputIds, const ProjectionHook& hook) const {
  TORCH_CHECK(inputIds.dim() == 2 && inputIds.size(1) <= config_.maxLength, "inputIds must be (N, L), L at most ",
              config_.maxLength);
  const at::Tensor ids = inputIds.to(tokenEmbedding_.device());
  at::Tensor h =
      at::embedding(tokenEmbedding_, ids).to(dtype_) + positionEmbedding_.slice(0, 0, ids.size(1)).to(dtype_);
  for (int64_t i = 0; i < config_.numLayers; ++i) {
    const Layer& layer = layers_[i];
    h = h + attend(i, layer.norm1(h), hook);
    const at::Tensor inner = layer.fc1(layer.norm2(h));
    h = h + layer.fc2(config_.quickGelu ? inner * at::sigmoid(1.702 * inner) : at::gelu(inner));
  }
  return finalNorm_(h);
}

TensorMap withCurrentTextNames(TensorMap tensors) {
  if (tensors.count("embeddings.token_embedding.weight") == 0) return tensors;
  TensorMap renamed;
  for (auto& [name, tensor] : tensors) renamed["text_model." + name] = tensor;
  return renamed;
}

}  // namespace dan::model
