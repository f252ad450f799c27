#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "ops/pair_mix.h"
#include "ops/pair_norm.h"
#include "tests/test.h"

namespace dan::tests {

DAN_TEST(the_passes_of_a_folded_saim_are_their_plain_forms_in_float64) {
  const at::NoGradGuard noGrad;
  uint64_t seed = 0;
  for (const auto& [tokens, width] : {std::array<int64_t, 2>{1, 16}, {70, 320}, {3, 1280}, {5, 33}}) {
    const std::string what = c10::str(tokens, " pairs of ", width);
    const auto draw = [&](at::IntArrayRef shape) { return randn(shape, makeGenerator(++seed)); };
    const auto wide = [](const at::Tensor& x) { return x.to(at::kDouble); };
    const at::Tensor attended = 3 * draw({2, tokens, width}) + 5, weight = draw({width}), bias = draw({width});
    const auto [anomaly, difference] = ops::pairNorm(attended, weight, bias, 1e-6);
    const auto expected = ops::pairNormPlain(wide(attended), wide(weight), wide(bias), 1e-6);
    expectClose(wide(anomaly), std::get<0>(expected), 1e-5, 1e-5, what + ", the part's tokens");
    expectClose(wide(difference), std::get<1>(expected), 1e-5, 1e-5, what + ", the difference");

    // Scores reach several hundred, so one branch gets all of the weight.
    const at::Tensor products = draw({tokens, 2 * width}), base = draw({tokens, width}), c = draw({width});
    at::Tensor mixed = attended.clone(), wideMixed = wide(attended);
    ops::pairMix(mixed, {anomaly, difference, products, base, c});
    ops::pairMixPlain(wideMixed, {wide(anomaly), wide(difference), wide(products), wide(base), wide(c)});
    expectClose(wide(mixed), wideMixed, 1e-4, 1e-5, what + ", mixed");
  }
}

}  // namespace dan::tests
