// An adapter holds everything that training adds to the frozen base. Each attention layer gets a LoRA per branch and a
// SAIM; a self-attention layer may also get a background mixer. The text encoder gets a LoRA.
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

// This is the low-rank change of a projection (arXiv 2106.09685) for both branches.
struct BranchLora : ops::LoraMatrices {
  BranchLora(const nn::Weights& weights, int64_t rank, int64_t in, int64_t out);
  // x: (B, L, in) of one branch. Returns (B, L, out).
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
  // `tensors` use the names of our own format. Those in float32 on the base's device become the parameters without a
  // copy, so that training writes to them, and no two may share memory. Throws ERR_ADAPTER_MISMATCH if they do not fit
  // the base.
  Adapter(TensorMap tensors, const AdapterSettings& settings, const model::Unet& unet, const model::TextConfig& text,
          const std::string& source);

  // Returns the initial values for training. LoRA down is N(0, 1/rank) and up is zero. SAIM and the background's MLP
  // start like fresh linear layers, norms at one and zero, gamma at 0.1 (add) or 0 (interpolate). A zero `up` leaves
  // attention unchanged, but SAIM changes it.
  static TensorMap initialTensors(const AdapterSettings& settings, const model::Unet& unet,
                                  const model::TextConfig& text, at::Generator generator);

  const AdapterSettings& settings() const { return settings_; }
  const AdapterLayer& layer(const std::string& name) const { return layers_.at(name); }

  // Returns the text encoder's LoRA for TextEncoder::forward. The adapter must outlive it.
  model::ProjectionHook textHook() const;

  // Returns the parameters that are trained and saved, in float32 on the base's device.
  const TensorMap& parameters() const { return parameters_; }
  // Frees the tensors of an attention layer, which folding has copied.
  void releaseLayer(const std::string& name);
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
