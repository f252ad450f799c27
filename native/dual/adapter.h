// What training adds to the frozen base: per attention layer a LoRA for each branch and a SAIM, for self-attention
// perhaps a background mixer, and the text encoder's LoRA.
#pragma once

#include <map>
#include <optional>

#include "dual/background.h"
#include "dual/branch.h"
#include "dual/saim.h"
#include "model/text_encoder.h"
#include "model/unet.h"
#include "ops/lora_linear.h"

namespace dan::dual {

// Low-rank change of a projection (arXiv 2106.09685) for every branch at once.
struct BranchLora : ops::LoraMatrices {
  BranchLora(const nn::Weights& weights, int64_t rank, int64_t in, int64_t out);
  // x: (B, L, in) -> (B, L, out), of one branch.
  at::Tensor operator()(const at::Tensor& x, Branch branch) const;
};

struct AdapterLayer {
  BranchLora q, k, v, out;
  Saim saim;
  std::optional<BackgroundMixer> background;
};

struct AdapterSettings {
  int64_t rank = 32;
  BackgroundMode background = BackgroundMode::kOff;
  double loraScale = 1.0;  // alpha / rank
};

class Adapter {
 public:
  // `tensors` under the own format's names. Throws ERR_ADAPTER_MISMATCH where they do not fit the base.
  Adapter(const TensorMap& tensors, const AdapterSettings& settings, const model::Unet& unet,
          const model::TextConfig& text, const std::string& source);

  // As training starts: LoRA down N(0, 1/rank) and up zero, SAIM and the background's MLP like fresh linear layers,
  // norms one and zero, gamma 0.1 (add) or 0 (interpolate). `up` zero leaves attention as it is; SAIM does not.
  static TensorMap initialTensors(const AdapterSettings& settings, const model::Unet& unet,
                                  const model::TextConfig& text, at::Generator generator);

  const AdapterSettings& settings() const { return settings_; }
  const AdapterLayer& layer(const std::string& name) const { return layers_.at(name); }

  // The text encoder's LoRA, for TextEncoder::forward. Valid as long as the adapter.
  model::ProjectionHook textHook() const;

  // All parameters by name, float32 on the base's device: what is trained and saved.
  const TensorMap& parameters() const { return parameters_; }
  // Frees what folding took over: everything but the settings and the text encoder's LoRA.
  void releaseLayers();
  // Makes every parameter a leaf that requires gradients.
  void requireGradients();

 private:
  struct TextLora {
    at::Tensor down, up;
  };
  AdapterSettings settings_;
  TensorMap parameters_;
  std::map<std::string, AdapterLayer> layers_;
  std::map<std::string, TextLora> text_;  // by "<layer>.<projection>"
};

}  // namespace dan::dual
