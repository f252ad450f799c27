// BCM, the background compensation module (DualAnoDiff section 3.3), runs a separate pass over the background. It mixes
// the features of that pass into the source of the global branch's keys and values.
#pragma once

#include <map>
#include <string>

#include "nn/layers.h"

namespace dan::dual {

enum class BackgroundMode {
  kOff,
  kAdd,          // equation 5: h + gamma * MLP(h_b); gamma starts at 0.1
  kInterpolate,  // published checkpoints: (1 - a) * h + a * MLP(h_b); a starts at 0
};

// Accepts "off", "add" or "interpolate"; throws ERR_INVALID_OPTION.
BackgroundMode parseBackgroundMode(const std::string& name);
const char* backgroundModeName(BackgroundMode mode);

constexpr int64_t kBackgroundHidden = 320;  // The published code uses this width for every layer.

// A model's backgroundFeatures() returns these for its forward(), by self-attention layer: (B, L, C). DualUnet returns
// the layers' inputs h_b, and FoldedUnet returns the output of the mixers' MLPs.
using BackgroundFeatures = std::map<std::string, at::Tensor>;

struct BackgroundMixer {
  nn::Linear hidden, output;  // no activation between them
  at::Tensor gamma;           // (1)

  BackgroundMixer(const nn::Weights& weights, int64_t width);
  // hiddenStates, features: (B, L, C). Returns the source of keys and values, (B, L, C).
  at::Tensor operator()(const at::Tensor& hiddenStates, const at::Tensor& features, BackgroundMode mode) const;

  // These are the two steps of the call operator. The first, gamma * MLP(features), is computed once for all pairs that
  // share a background.
  at::Tensor ofBackground(const at::Tensor& features) const;
  at::Tensor withBackground(const at::Tensor& hiddenStates, const at::Tensor& background, BackgroundMode mode) const;
};

// Computes I_b = (1 - M_f) x I with the foreground black. pixelValues: (N, 3, H, W) in [-1, 1]; foregrounds: (N, 1, H,
// W) of 0 and 1.
at::Tensor blackOut(const at::Tensor& pixelValues, const at::Tensor& foregrounds);

}  // namespace dan::dual
