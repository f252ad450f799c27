// Every row of the table of kernels has a test. It runs the row's own machine code where the CPU has the instructions,
// and an emulation of it elsewhere. Which of the two it was is printed by main.cpp.
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "ops/attention.h"
#include "ops/frozen.h"
#include "ops/pair_mix.h"
#include "ops/pair_norm.h"
#include "tests/emulated_kernels.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

using ops::cpu::Capability;

at::Tensor asDouble(const at::Tensor& x) { return x.to(at::kDouble); }

void expectProducts() {
  const at::Tensor x = randn({65, 70}, makeGenerator(1)), bias = randn({77}, makeGenerator(2));
  const at::Tensor weight = randn({77, 70}, makeGenerator(3)).to(at::kHalf);
  const at::Tensor expected = at::linear(asDouble(x), asDouble(weight), asDouble(bias));
  expectClose(ops::frozenLinear(x, weight, bias), expected, 1e-4, 1e-5, "linear");

  const at::Tensor image = randn({2, 40, 9, 12}, makeGenerator(4)), kernel = randn({37, 40, 3, 3}, makeGenerator(5));
  for (const int64_t stride : {1, 2}) {  // Winograd's transforms, and the plain product
    const at::Tensor convolved = at::conv2d(asDouble(image), asDouble(kernel), std::nullopt, stride, 1);
    expectClose(ops::frozenConv2d(image, kernel, {}, {stride, 1, 1}), convolved, 3e-4, 1e-5, "convolution");
  }
}

void expectAttention(at::ScalarType dtype, double tolerance) {
  for (const auto& [queries, keys, width] :
       {std::array<int64_t, 3>{70, 600, 40}, {1, 77, 80}, {9, 33, 17}, {33, 1, 64}}) {
    constexpr int64_t kHeads = 2;
    const auto draw = [&](int64_t length, uint64_t seed) {
      return randn({1, length, kHeads * width}, makeGenerator(seed)).to(dtype);
    };
    const at::Tensor q = draw(queries, 6), k = draw(keys, 7), v = draw(keys, 8);
    expectClose(ops::attention(q, k, v, kHeads), ops::attentionPlain(asDouble(q), asDouble(k), asDouble(v), kHeads),
                tolerance, tolerance,
                c10::str(at::toString(dtype), ", ", queries, " queries, ", keys, " keys of ", width));
  }
}

void expectPairs() {
  const at::Tensor attended = randn({2, 5, 32}, makeGenerator(9)), weight = randn({32}, makeGenerator(10));
  const at::Tensor bias = randn({32}, makeGenerator(11)), products = randn({5, 64}, makeGenerator(12));
  const auto [anomaly, difference] = ops::pairNorm(attended, weight, bias, 1e-6);
  const auto expected = ops::pairNormPlain(asDouble(attended), asDouble(weight), asDouble(bias), 1e-6);
  expectClose(anomaly, std::get<0>(expected), 1e-5, 1e-5, "pair norm");
  at::Tensor mixed = attended.clone(), wideMixed = asDouble(attended);
  ops::pairMix(mixed, {anomaly, difference, products, anomaly, bias});
  ops::pairMixPlain(wideMixed,
                    {asDouble(anomaly), asDouble(difference), asDouble(products), asDouble(anomaly), asDouble(bias)});
  expectClose(mixed, wideMixed, 1e-4, 1e-5, "pair mix");
}

void expectRounding(const ops::cpu::Kernels& kernels) {
  const at::Tensor sums = randn({3, 40}, makeGenerator(13)), bias = randn({37}, makeGenerator(14));
  const int64_t targets[] = {2, -1, 0};
  at::Tensor rounded = at::zeros({3, 40}, at::kBFloat16);
  kernels.roundSums({sums.const_data_ptr<float>(), 40, 3, 37, targets, bias.const_data_ptr<float>(),
                     static_cast<uint16_t*>(rounded.mutable_data_ptr()), 40});
  const at::Tensor expected = (sums.narrow(1, 0, 37) + bias).to(at::kBFloat16);
  expectClose(rounded[2].narrow(0, 0, 37), expected[0], 0, 0, "rounded sums of the first row");
  expectClose(rounded[0].narrow(0, 0, 37), expected[2], 0, 0, "rounded sums of the last row");
  expectClose(rounded[1], at::zeros({40}), 0, 0, "the row that nothing is written to");
  expectClose(rounded.narrow(1, 37, 3), at::zeros({3, 3}), 0, 0, "the values after them");
}

void expectPairsOfRows(const ops::cpu::Kernels& kernels) {
  constexpr int64_t kColumns = 21, kWords = 3, kStride = 40;
  const at::Tensor rows = randn({2 * kWords, kStride}, makeGenerator(15)).to(at::kBFloat16);
  const at::Tensor panel = at::full({kWords, kernels.panelColumns}, 7.0F);
  kernels.packPairs(static_cast<const uint16_t*>(rows.const_data_ptr()), kStride, kColumns, kWords,
                    panel.mutable_data_ptr<float>());
  const at::Tensor pairs = panel.view(at::kBFloat16).view({kWords, kernels.panelColumns, 2});
  const at::Tensor expected = rows.view({kWords, 2, kStride}).transpose(1, 2).narrow(1, 0, kColumns);
  expectClose(pairs.narrow(1, 0, kColumns), expected, 0, 0, "pairs");
  EXPECT(pairs.narrow(1, kColumns, kernels.panelColumns - kColumns).abs().max().item<float>() == 0);
}

// Runs the kernels of one row, or the emulation of them.
void expectSet(Capability capability, const ops::cpu::Kernels* emulated) {
  const at::NoGradGuard noGrad;
  const auto& sets = ops::cpu::kernelSets();
  const ops::cpu::KernelSet& set = sets[static_cast<size_t>(capability)];
  if (!set.isSupported && (emulated == nullptr || !sets[0].isSupported)) return;
  const ops::cpu::Kernels& kernels = set.isSupported ? set.kernels : *emulated;
  const UseKernels use(kernels);
  expectProducts();
  expectAttention(at::kFloat, 1e-5);
  expectPairs();
  if (capability < Capability::kAvx512BFloat16) {
    EXPECT(kernels.attendBFloat16 == nullptr && kernels.roundSums == nullptr && kernels.packPairs == nullptr);
  } else {
    expectAttention(at::kBFloat16, 2e-2);
    expectRounding(kernels);
    expectPairsOfRows(kernels);
  }
  EXPECT((kernels.amx != nullptr) == (capability == Capability::kAmx));
}

}  // namespace

DAN_TEST(the_kernels_of_avx2_are_the_plain_operations) { expectSet(Capability::kAvx2, nullptr); }
DAN_TEST(the_kernels_of_avx512_are_the_plain_operations) { expectSet(Capability::kAvx512, &emulatedAvx512()); }
DAN_TEST(the_kernels_of_avx512_bf16_are_the_plain_operations) {
  expectSet(Capability::kAvx512BFloat16, &emulatedAvx512BFloat16());
}
DAN_TEST(the_kernels_of_amx_are_the_plain_operations) { expectSet(Capability::kAmx, &emulatedAmx()); }

DAN_TEST(the_table_of_kernels_uses_what_the_cpu_has_and_what_is_allowed) {
  const auto& sets = ops::cpu::kernelSets();
  bool before = true;
  const ops::cpu::Kernels* last = nullptr;
  for (size_t i = 0; i < sets.size(); ++i) {
    EXPECT(sets[i].capability == static_cast<Capability>(i));
    EXPECT(ops::cpu::capabilityNamed(sets[i].name) == sets[i].capability);
    EXPECT(before || !sets[i].isSupported);  // Each row needs the rows before it.
    EXPECT(sets[i].isSupported || !sets[i].isUsed);
    before = sets[i].isSupported;
    if (sets[i].isUsed) last = &sets[i].kernels;
  }
  EXPECT(ops::cpu::kernels() == last);
  EXPECT(!ops::cpu::capabilityNamed("avx"));
}

}  // namespace dan::tests
