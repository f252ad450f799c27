// BCM, the background compensation module (DualAnoDiff section 3.3): features of the background, from a pass of its
// own, are mixed into the source of the global branch's keys and values.
#pragma once

#include <map>
#include <string>

#include "nn/layers.h"

namespace dan::dual {

enum class BackgroundMode {
  kOff,
  kAdd,          // equation 5: h + gamma * MLP(h_b), gamma from 0.1
  kInterpolate,  // published checkpoints: (1 - a) * h + a * MLP(h_b), a from 0
};

// "off", "add" or "interpolate"; throws ERR_INVALID_OPTION.
BackgroundMode parseBackgroundMode(const std::string& name);
const char* backgroundModeName(BackgroundMode mode);

constexpr int64_t kBackgroundHidden = 320;  // whatever the layer's width, as published

// What a model's forward() takes of its own background pass, by self-attention layer: (B, L, C). DualUnet's are the
// layers' inputs h_b, FoldedUnet's what the mixers make of them.
using BackgroundFeatures = std::map<std::string, at::Tensor>;

struct BackgroundMixer {
  nn::Linear hidden, output;  // no activation between them
  at::Tensor gamma;           // (1)

  BackgroundMixer(const nn::Weights& weights, int64_t width);
  // hiddenStates, features: (B, L, C). Returns the source of keys and values, (B, L, C).
  at::Tensor operator()(const at::Tensor& hiddenStates, const at::Tensor& features, BackgroundMode mode) const;

  // The same in two steps, of which the first, gamma * MLP(features), is one for all pairs that share a background.
  at::Tensor ofBackground(const at::Tensor& features) const;
  at::Tensor withBackground(const at::Tensor& hiddenStates, const at::Tensor& background, BackgroundMode mode) const;
};

// I_b = (1 - M_f) x I with the foreground black. pixelValues: (N, 3, H, W) in [-1, 1]; foregrounds: (N, 1, H, W) of 0
// and 1.
at::Tensor blackOut(const at::Tensor& pixelValues, const at::Tensor& foregrounds);

}  // namespace dan::dual
