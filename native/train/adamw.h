// This is AdamW (arXiv 1711.05101), or Adam with an L2 penalty, over a fixed list of named parameters, with gradient
// clipping by global norm.
#pragma once

#include <string>
#include <vector>

#include "core/tensor_map.h"

namespace dan::train {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, weightDecay = 1e-2, eps = 1e-8;
  double maxGradNorm = 1.0;  // 0: no clipping
  // If false, the decay is added to the gradients, as in Adam with an L2 penalty.
  bool decouplesDecay = true;
};

class AdamW {
 public:
  // `parameters` are leaves that require gradients; they are updated in place.
  AdamW(const TensorMap& parameters, AdamWOptions options);

  // Divides the gradients by `gradientScale`, clips, updates and clears them. Skips parameters without a gradient.
  // Returns the global norm of the gradients before clipping; if that is not finite, no parameter is updated.
  double step(double learningRate, double gradientScale = 1.0);
  // Clears the gradients of a step that failed or was cancelled.
  void clearGradients();

  // The tensors are the moments and step counts, named "<what>/<parameter>". Loading throws ERR_WEIGHTS_INVALID on a
  // mismatch.
  TensorMap state() const;
  void loadState(const TensorMap& state, const std::string& source);

 private:
  AdamWOptions options_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_, expAvgs_, expAvgSqs_, steps_;
};

}  // namespace dan::train
