// Golden values of detectors come from plain PyTorch (scripts/compare/detectors). Weights and inputs follow a formula
// that both sides know, so the files of test/data/detectors hold results only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "nn/weights.h"

namespace dan::tests {

// Returns a float64 tensor in -1 .. 1 whose phase depends on the name.
at::Tensor wave(const std::string& name, at::IntArrayRef shape);

// Gives each tensor that a network took the formula's value. The network must have been built in float64. Trained
// parameters then require gradients.
void setToFormula(const nn::Weights& weights);

class DetectorGolden {
 public:
  explicit DetectorGolden(const std::string& name);
  // Fails unless the difference is below 1e-7 of the largest golden value.
  void expectTensor(const std::string& key, const at::Tensor& actual) const;
  // Backpropagates the loss, and compares it and the gradient of each parameter with the file. Each gradient is held
  // to its norm and to its product with a wave.
  void expectLossAndGradients(const at::Tensor& loss, const nn::Weights& weights) const;

 private:
  nlohmann::json json_;
  std::string name_;
};

}  // namespace dan::tests
