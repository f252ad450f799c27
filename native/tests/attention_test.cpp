#include "ops/attention.h"

#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "tests/test.h"

namespace dan::tests {

DAN_TEST(attention_is_that_of_libtorch_in_float64) {
  const at::NoGradGuard noGrad;
  uint64_t seed = 0;
  for (const auto& [batch, queries, keys, heads, width] :
       {std::array<int64_t, 5>{2, 70, 1100, 2, 40}, {1, 1, 1, 3, 5}, {2, 9, 77, 2, 80}, {1, 64, 513, 1, 161}}) {
    // The inputs are slices of wider rows with different lengths.
    const at::Tensor q = randn({batch, queries, 3 * heads * width}, makeGenerator(++seed)).narrow(2, 0, heads * width);
    const at::Tensor kv = 2 * randn({batch, keys, 2 * heads * width}, makeGenerator(++seed));
    const at::Tensor k = kv.narrow(2, 0, heads * width), v = kv.narrow(2, heads * width, heads * width);
    const std::string what = c10::str(queries, " queries, ", keys, " keys, ", heads, " x ", width);
    const auto plain = [&](at::ScalarType dtype) {
      const auto rounded = [&](const at::Tensor& x) { return x.to(dtype).to(at::kDouble); };
      return ops::attentionPlain(rounded(q), rounded(k), rounded(v), heads);
    };
    expectClose(ops::attention(q, k, v, heads).to(at::kDouble), plain(at::kFloat), 2e-6, 1e-5, what);
    const auto narrow = [](const at::Tensor& x) { return x.to(at::kBFloat16); };
    // The weights and the result are rounded to 8 bits.
    expectClose(ops::attention(narrow(q), narrow(k), narrow(v), heads).to(at::kDouble), plain(at::kBFloat16), 2e-2,
                1e-2, what + ", bfloat16");
  }
}

DAN_TEST(attention_bears_extreme_scores) {
  const at::NoGradGuard noGrad;
  const at::Tensor q = 300 * randn({1, 16, 32}, makeGenerator(1)), v = randn({1, 600, 32}, makeGenerator(2));
  const at::Tensor k = 300 * randn({1, 600, 32}, makeGenerator(3));
  const auto wide = [](const at::Tensor& x) { return x.to(at::kDouble); };
  expectClose(wide(ops::attention(q, k, v, 2)), ops::attentionPlain(wide(q), wide(k), wide(v), 2), 1e-2, 0, "scores");
}

}  // namespace dan::tests
