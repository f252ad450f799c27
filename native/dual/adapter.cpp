#include "dual/adapter.h"

#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "core/text.h"

namespace dan::dual {

namespace {

constexpr const char* kTextProjections[] = {"q", "k", "v", "out"};

std::string textName(int64_t layer, const std::string& projection) { return std::to_string(layer) + "." + projection; }

AdapterLayer makeLayer(const nn::Weights& weights, const nn::AttentionLayer& layer, const AdapterSettings& settings) {
  const auto lora = [&](const char* name, int64_t in) {
    return BranchLora(weights.scope(name), settings.rank, in, layer.width);
  };
  AdapterLayer result{lora("to_q_lora", layer.width),           lora("to_k_lora", layer.contextWidth),
                      lora("to_v_lora", layer.contextWidth),    lora("to_out_lora", layer.width),
                      Saim(weights.scope("saim"), layer.width), std::nullopt};
  if (settings.background != BackgroundMode::kOff && layer.isSelfAttention) {
    result.background.emplace(weights.scope("background"), layer.width);
  }
  return result;
}

// Fills the tensors of one fresh adapter from one generator. The order is fixed, so a seed always gives the same
// adapter.
class Initializer {
 public:
  Initializer(TensorMap& tensors, at::Generator generator, int64_t rank)
      : tensors_(tensors), generator_(std::move(generator)), rank_(rank) {}

  void lora(const std::string& name, int64_t in, int64_t out) {
    tensors_[name + ".down.weight"] = randn({rank_, in}, generator_) / static_cast<double>(rank_);
    tensors_[name + ".up.weight"] = at::zeros({out, rank_});
  }

  // This is PyTorch's default: uniform in +-1/sqrt(in), for the bias too.
  void linear(const std::string& name, int64_t in, int64_t out) {
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    tensors_[name + ".weight"] = at::empty({out, in}, at::kFloat).uniform_(-bound, bound, generator_);
    tensors_[name + ".bias"] = at::empty({out}, at::kFloat).uniform_(-bound, bound, generator_);
  }

  void attentionLayer(const nn::AttentionLayer& layer, BackgroundMode background) {
    const std::string name = "unet." + layer.name + ".";
    for (const char* projection : {"to_q_lora", "to_k_lora", "to_v_lora", "to_out_lora"}) {
      const bool fromContext = projection[3] == 'k' || projection[3] == 'v';
      for (int64_t branch = 0; branch < kNumBranches; ++branch) {
        lora(name + projection + "." + std::to_string(branch), fromContext ? layer.contextWidth : layer.width,
             layer.width);
      }
    }
    tensors_[name + "saim.norm.weight"] = at::ones({layer.width});
    tensors_[name + "saim.norm.bias"] = at::zeros({layer.width});
    for (const char* part : {"i", "q", "k", "v", "o"}) linear(name + "saim." + part, layer.width, layer.width);
    if (background == BackgroundMode::kOff || !layer.isSelfAttention) return;
    linear(name + "background.mlp.0", layer.width, kBackgroundHidden);
    linear(name + "background.mlp.1", kBackgroundHidden, layer.width);
    tensors_[name + "background.gamma"] = at::full({1}, background == BackgroundMode::kAdd ? 0.1 : 0.0, at::kFloat);
  }

 private:
  TensorMap& tensors_;
  at::Generator generator_;
  int64_t rank_;
};

}  // namespace

BranchLora::BranchLora(const nn::Weights& weights, int64_t rank, int64_t in, int64_t out) {
  for (int64_t branch = 0; branch < kNumBranches; ++branch) {
    const nn::Weights scope = weights.scope(std::to_string(branch));
    down[branch] = scope.take("down.weight", {rank, in});
    up[branch] = scope.take("up.weight", {out, rank});
  }
}

at::Tensor BranchLora::operator()(const at::Tensor& x, Branch branch) const {
  return at::linear(at::linear(x, down[branch].to(x.dtype())), up[branch].to(x.dtype()));
}

Adapter::Adapter(TensorMap tensors, const AdapterSettings& settings, const model::Unet& unet,
                 const model::TextConfig& text, const std::string& source)
    : settings_(settings) {
  try {
    const nn::Weights weights = nn::Weights::fromTensors(std::move(tensors), source, at::kFloat, unet.device());
    for (const nn::AttentionLayer* layer : unet.attentionLayers()) {
      layers_.emplace(layer->name, makeLayer(weights.scope("unet." + layer->name), *layer, settings));
    }
    for (int64_t i = 0; i < text.numLayers; ++i) {
      for (const char* projection : kTextProjections) {
        const nn::Weights scope =
            weights.scope("text_encoder.layers." + std::to_string(i) + ".to_" + projection + "_lora");
        text_[textName(i, projection)] = {scope.take("down.weight", {settings.rank, text.hiddenSize}),
                                          scope.take("up.weight", {text.hiddenSize, settings.rank})};
      }
    }
    weights.expectAllTaken();
    parameters_ = weights.taken();
  } catch (const CoreError& error) {
    fail(kAdapterMismatch, "The adapter does not fit this base model. ", error.what());
  }
}

TensorMap Adapter::initialTensors(const AdapterSettings& settings, const model::Unet& unet,
                                  const model::TextConfig& text, at::Generator generator) {
  TensorMap tensors;
  Initializer initializer(tensors, std::move(generator), settings.rank);
  for (const nn::AttentionLayer* layer : unet.attentionLayers()) {
    initializer.attentionLayer(*layer, settings.background);
  }
  for (int64_t i = 0; i < text.numLayers; ++i) {
    for (const char* projection : kTextProjections) {
      initializer.lora("text_encoder.layers." + std::to_string(i) + ".to_" + projection + "_lora", text.hiddenSize,
                       text.hiddenSize);
    }
  }
  return tensors;
}

model::ProjectionHook Adapter::textHook() const {
  return [this](int64_t layer, const char* projection, const at::Tensor& input, const at::Tensor& output) {
    const TextLora& lora = text_.at(textName(layer, projection));
    const at::Tensor change = at::linear(at::linear(input, lora.down.to(input.dtype())), lora.up.to(input.dtype()));
    return output + settings_.loraScale * change;
  };
}

void Adapter::releaseLayer(const std::string& name) {
  layers_.erase(name);
  const std::string prefix = "unet." + name + ".";
  auto it = parameters_.lower_bound(prefix);
  while (it != parameters_.end() && startsWith(it->first, prefix)) it = parameters_.erase(it);
}

void Adapter::requireGradients() {
  for (auto& [name, tensor] : parameters_) tensor.requires_grad_();
}

}  // namespace dan::dual
