// The optimiser decays weights in both published ways.
#include "train/adamw.h"

#include <cmath>

#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr double kRate = 0.01, kDecay = 0.5;

// Returns a weight of 2 after one step without a gradient of the loss.
double afterDecay(bool decoupled) {
  const at::Tensor weight = at::full({1}, 2.0, at::kDouble).requires_grad_();
  train::AdamWOptions options;
  options.weightDecay = kDecay;
  options.decouplesDecay = decoupled;
  train::AdamW adam({{"weight", weight}}, options);
  at::Tensor(weight).mutable_grad() = at::zeros({1}, at::kDouble);
  adam.step(kRate);
  return weight.item<double>();
}

}  // namespace

DAN_TEST(adamw_decays_weights_apart_from_their_gradients) {
  EXPECT(std::abs(afterDecay(/*decoupled=*/true) - 2 * (1 - kRate * kDecay)) < 1e-12);
}

DAN_TEST(adam_with_an_l2_penalty_normalises_the_decay_like_a_gradient) {
  // The first step of Adam has the length of the rate, whatever the gradient.
  EXPECT(std::abs(afterDecay(/*decoupled=*/false) - (2 - kRate)) < 1e-8);
}

}  // namespace dan::tests
