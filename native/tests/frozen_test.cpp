#include "ops/frozen.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "ops/attention.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/winograd4.h"
#include "ops/geglu.h"
#include "ops/group_norm_silu.h"
#include "ops/lora_linear.h"
#include "tests/emulated_kernels.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr at::ScalarType kStorages[] = {at::kFloat, at::kHalf, at::kBFloat16};

// Compares the result and the input's gradient of `form` with `plain` in float64.
void expectSameForms(const std::function<at::Tensor(const at::Tensor&)>& form,
                     const std::function<at::Tensor(const at::Tensor&)>& plain, const at::Tensor& x,
                     const std::string& what) {
  const auto run = [](const auto& function, const at::Tensor& input) {
    const at::Tensor leaf = input.clone().requires_grad_();
    const at::Tensor output = function(leaf);
    (output * at::linspace(-1, 1, output.numel(), output.scalar_type()).view(output.sizes())).sum().backward();
    return std::make_pair(output.detach().to(at::kDouble), leaf.grad().to(at::kDouble));
  };
  const auto [output, gradient] = run(form, x);
  const auto [expected, expectedGradient] = run(plain, x.to(at::kDouble));
  const auto scaled = [](const at::Tensor& a, const at::Tensor& b) { return a / b.abs().max(); };
  expectClose(scaled(output, expected), scaled(expected, expected), 2e-6, 0, what);
  expectClose(scaled(gradient, expectedGradient), scaled(expectedGradient, expectedGradient), 2e-6, 0,
              what + ", gradient");
  const at::NoGradGuard noGrad;
  expectClose(form(x).to(at::kDouble), output, 0, 0, what + ", without gradients");
}

}  // namespace

DAN_TEST(frozen_linear_reads_any_storage_and_shape) {
  uint64_t seed = 0;
  for (const at::ScalarType storage : kStorages) {
    for (const auto& [rows, in, out] :
         {std::array<int64_t, 3>{1, 3, 5}, {7, 40, 32}, {130, 1000, 77}, {65, 17, 1100}}) {
      const at::Tensor weight = randn({out, in}, makeGenerator(++seed)).to(storage);
      const at::Tensor bias = randn({out}, makeGenerator(++seed)), x = randn({rows, in}, makeGenerator(++seed));
      const std::string what = c10::str(at::toString(storage), " ", rows, " x ", in, " x ", out);
      for (const at::Tensor& stored : {weight, weight.t().contiguous().t()}) {
        expectSameForms(
            [&](const at::Tensor& input) { return ops::frozenLinear(input, stored, bias); },
            [&](const at::Tensor& input) { return at::linear(input, weight.to(at::kDouble), bias.to(at::kDouble)); }, x,
            what);
      }
    }
  }
}

DAN_TEST(group_norm_silu_has_the_plain_forms_gradient_in_any_layout) {
  at::Generator generator = makeGenerator(9);
  const at::Tensor x = randn({2, 6, 5, 3}, generator), weight = randn({6}, generator), bias = randn({6}, generator);
  const auto form = [&](const at::Tensor& input) { return ops::groupNormSilu(input, 3, weight, bias, 1e-5); };
  const auto plain = [&](const at::Tensor& input) {
    return ops::groupNormSiluPlain(input, 3, weight.to(at::kDouble), bias.to(at::kDouble), 1e-5);
  };
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    expectSameForms(form, plain, x.contiguous(format), c10::str(format));
  }
}

DAN_TEST(fused_operations_have_the_plain_forms_bits_and_keep_their_input) {
  const at::NoGradGuard noGrad;
  at::Generator generator = makeGenerator(11);
  const at::Tensor weight = randn({6}, generator), bias = randn({6}, generator), tokens = randn({2, 7, 24}, generator);
  const at::Tensor image = randn({2, 6, 5, 3}, generator).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor tokensBefore = tokens.clone(), imageBefore = image.clone();
  EXPECT(ops::geglu(tokens).equal(ops::gegluPlain(tokens)));
  EXPECT(ops::groupNormSilu(image, 3, weight, bias, 1e-5).equal(ops::groupNormSiluPlain(image, 3, weight, bias, 1e-5)));
  EXPECT(tokens.equal(tokensBefore) && image.equal(imageBefore));
}

DAN_TEST(lora_linear_is_the_frozen_layer_and_each_branchs_lora) {
  constexpr int64_t kIn = 24, kOut = 40, kRank = 3;
  constexpr double kScale = 0.7;
  const auto run = [](const auto& form, at::ScalarType precision, int64_t pairs, bool needsInput) {
    at::Generator generator = makeGenerator(5);
    const auto leaf = [&](at::IntArrayRef shape, bool trained) {
      return randn(shape, generator).to(precision).requires_grad_(trained);
    };
    const at::Tensor weight = leaf({kOut, kIn}, false), bias = leaf({kOut}, false);
    const ops::LoraMatrices lora{{leaf({kRank, kIn}, true), leaf({kRank, kIn}, true)},
                                 {leaf({kOut, kRank}, true), leaf({kOut, kRank}, true)}};
    const at::Tensor x = leaf({pairs, 2, 5, kIn}, needsInput);
    const at::Tensor output = form(x, weight, bias, lora, kScale);
    (output * at::linspace(-1, 1, output.numel(), output.scalar_type()).view(output.sizes())).sum().backward();
    std::vector<at::Tensor> results{output.detach(), lora.down[0].grad(), lora.down[1].grad(), lora.up[0].grad(),
                                    lora.up[1].grad()};
    if (needsInput) results.push_back(x.grad());
    return results;
  };
  for (const int64_t pairs : {1, 3}) {
    for (const bool needsInput : {false, true}) {
      const auto expected = run(ops::loraLinearPlain, at::kDouble, pairs, needsInput);
      const auto actual = run(ops::loraLinear, at::kFloat, pairs, needsInput);
      for (size_t i = 0; i < expected.size(); ++i) {
        expectClose(actual[i].to(at::kDouble), expected[i], 1e-5, 1e-5, c10::str("result ", i));
      }
    }
  }
}

DAN_TEST(lora_linear_trains_the_layer_too_where_that_is_not_frozen) {
  at::Generator generator = makeGenerator(7);
  const auto leaf = [&](at::IntArrayRef shape) { return randn(shape, generator).requires_grad_(); };
  const at::Tensor x = leaf({2, 2, 5, 24}), weight = leaf({40, 24}), bias = leaf({40});
  const ops::LoraMatrices lora{{leaf({3, 24}), leaf({3, 24})}, {leaf({40, 3}), leaf({40, 3})}};
  ops::loraLinear(x, weight, bias, lora, 0.7).sum().backward();
  // The loss is a sum, so the gradient of each output is one.
  expectClose(weight.grad(), x.detach().sum({0, 1, 2}).expand({40, 24}), 1e-5, 1e-5, "weight");
  expectClose(bias.grad(), at::full({40}, 20.0), 1e-5, 0, "bias");
}

DAN_TEST(frozen_layers_and_attention_take_no_rows) {
  const at::NoGradGuard noGrad;
  const at::Tensor none = at::empty({0, 16}), weight = randn({5, 16}, makeGenerator(1));
  EXPECT(ops::frozenLinear(none, weight, {}).sizes() == at::IntArrayRef({0, 5}));
  for (const int64_t kernel : {1, 3}) {
    const at::Tensor kernels = randn({5, 16, kernel, kernel}, makeGenerator(2));
    const at::Tensor result = ops::frozenConv2d(at::empty({0, 16, 8, 8}), kernels, {}, {1, kernel / 2, 1});
    EXPECT(result.sizes() == at::IntArrayRef({0, 5, 8, 8}));
  }
  const at::Tensor tokens = at::empty({0, 7, 16});
  EXPECT(ops::attention(tokens, tokens, tokens, 2).sizes() == tokens.sizes());
}

DAN_TEST(frozen_layers_refuse_another_number_of_channels) {
  const at::Tensor kernel = at::ones({2, 9, 3, 3}), matrix = at::ones({2, 9}), none;
  for (const int64_t channels : {4, 10}) {
    const std::string reason = c10::str("Expected 9 input channels for a layer but received ", channels);
    for (const bool isTrained : {false, true}) {
      const auto input = [&](std::vector<int64_t> shape) { return at::ones(shape).requires_grad_(isTrained); };
      const at::Tensor image = input({1, channels, 8, 8}), rows = input({3, channels});
      expectError([&] { ops::frozenConv2d(image, kernel, none, {1, 1, 1}); }, reason);
      expectError([&] { ops::frozenLinear(rows, matrix, none); }, reason);
    }
    expectError([&] { ops::groupedLinear(at::ones({1, 3, channels}), matrix.t().unsqueeze(0)); }, reason);
  }
}

DAN_TEST(grouped_linear_has_weights_of_its_own_for_each_group) {
  const at::NoGradGuard noGrad;
  const at::Tensor x = randn({2, 70, 33}, makeGenerator(1)), bias = randn({50}, makeGenerator(2));
  // These are the keys among queries and values.
  const at::Tensor weight = randn({2, 33, 150}, makeGenerator(3)).narrow(2, 50, 50);
  expectClose(ops::groupedLinear(x, weight, bias), ops::groupedLinearPlain(x, weight, bias), 1e-5, 0, "with a bias");
  expectClose(ops::groupedLinear(x, weight), ops::groupedLinearPlain(x, weight, {}), 1e-5, 0, "without");
}

DAN_TEST(frozen_conv2d_reads_any_storage_layout_and_geometry) {
  uint64_t seed = 100;
  const auto check = [&](at::ScalarType storage, int64_t in, int64_t out, int64_t kernel,
                         const ops::ConvGeometry& geometry) {
    const at::Tensor weight = randn({out, in, kernel, kernel}, makeGenerator(++seed)).to(storage);
    const at::Tensor bias = randn({out}, makeGenerator(++seed)), x = randn({2, in, 9, 6}, makeGenerator(++seed));
    const auto plain = [&](const at::Tensor& input) {
      return at::conv2d(input, weight.to(at::kDouble), bias.to(at::kDouble), geometry.stride, geometry.padding,
                        geometry.dilation);
    };
    const std::string what = c10::str(at::toString(storage), " ", in, " to ", out, ", kernel ", kernel, ", stride ",
                                      geometry.stride, ", padding ", geometry.padding);
    for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
      const at::Tensor stored = weight.contiguous(layout);
      expectSameForms([&](const at::Tensor& input) { return ops::frozenConv2d(input, stored, bias, geometry); }, plain,
                      x, what);
      expectSameForms([&](const at::Tensor& input) { return ops::frozenConv2d(input, stored, bias, geometry); }, plain,
                      x.contiguous(at::MemoryFormat::ChannelsLast), what + ", channels-last");
    }
  };
  for (const at::ScalarType storage : kStorages) {
    check(storage, 5, 33, 3, {1, 1, 1});
    check(storage, 130, 4, 3, {1, 1, 1});
    check(storage, 48, 64, 3, {1, 1, 1});
    check(storage, 32, 40, 3, {2, 1, 1});
    check(storage, 16, 40, 3, {1, 2, 2});
    check(storage, 20, 37, 1, {1, 0, 1});
    check(storage, 7, 6, 3, {1, 0, 1});
  }
}

// Compares wide layers with libtorch's in float64. Their images have several rounds of tiles or of values, tiles that
// reach beyond the edges, and a last panel of a few columns.
void expectWideConvolutions() {
  constexpr double kTolerance = 2e-5;  // of the largest value, as for trained convolutions
  const int before = at::get_num_threads();
  for (const auto& [images, in, out, height, width] :
       {std::array<int64_t, 5>{1, 128, 3, 68, 64}, {2, 300, 130, 30, 29}, {1, 520, 33, 28, 32}}) {
    EXPECT(ops::cpu::winograd4Pays({1, height, width}));  // Otherwise F(2x2) is tested again.
    const at::Tensor x = randn({images, in, height, width}, makeGenerator(1)), bias = randn({out}, makeGenerator(2));
    const at::Tensor kernel = randn({out, in, 3, 3}, makeGenerator(3));
    for (const at::ScalarType storage : kStorages) {
      const auto layout = storage == at::kHalf ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
      const at::Tensor stored = kernel.to(storage).contiguous(layout);
      const at::Tensor factors = randn({images, out, height, width}, makeGenerator(4));
      const auto run = [&](const auto& form, at::ScalarType dtype) {
        const at::Tensor leaf = x.to(dtype, /*non_blocking=*/false, /*copy=*/true).requires_grad_();
        const at::Tensor result = form(leaf);
        (result * factors.to(dtype)).sum().backward();
        return std::make_pair(result.detach(), leaf.grad());
      };
      const auto expected = run(
          [&](const at::Tensor& input) {
            return at::conv2d(input, stored.to(at::kDouble), bias.to(at::kDouble), 1, 1);
          },
          at::kDouble);
      std::vector<std::pair<at::Tensor, at::Tensor>> found;
      for (const int threads : {1, 3}) {
        at::set_num_threads(threads);
        found.push_back(run(
            [&](const at::Tensor& input) {
              return ops::frozenConv2d(input, stored, bias, {1, 1, 1});
            },
            at::kFloat));
      }
      at::set_num_threads(before);
      const std::string what = c10::str(in, " to ", out, " channels");
      const auto expectNear = [&](const at::Tensor& actual, const at::Tensor& wanted, const std::string& of) {
        expectClose(actual.to(at::kDouble), wanted, kTolerance * wanted.abs().max().item<double>(), 0, what + of);
      };
      expectNear(found[0].first, expected.first, ", values");
      expectNear(found[0].second, expected.second, ", gradients");
      if (ops::cpu::kernels() == nullptr) continue;  // libtorch's own layers promise no such bits.
      EXPECT(at::equal(found[0].first, found[1].first) && at::equal(found[0].second, found[1].second));
    }
  }
}

DAN_TEST(wide_frozen_convolutions_on_large_images_are_the_plain_ones) { expectWideConvolutions(); }

DAN_TEST(wide_frozen_convolutions_are_right_on_other_kernels) {
  for (const auto* kernels : {&emulatedAvx512(), &ops::cpu::kAvx2Kernels}) {
    const UseKernels use(*kernels);
    expectWideConvolutions();
  }
}

DAN_TEST(a_convolution_has_the_same_bits_in_any_batch) {
  const at::NoGradGuard noGrad;
  if (ops::cpu::kernels() == nullptr) return;  // libtorch's own layers promise no such bits.
  const at::Tensor x = randn({4, 160, 16, 16}, makeGenerator(1)), kernel = randn({40, 160, 3, 3}, makeGenerator(2));
  const at::Tensor together = ops::frozenConv2d(x, kernel, {}, {1, 1, 1});
  EXPECT(at::equal(together.narrow(0, 1, 1), ops::frozenConv2d(x.narrow(0, 1, 1), kernel, {}, {1, 1, 1})));
}

DAN_TEST(frozen_layers_have_the_same_bits_on_any_number_of_threads) {
  const at::NoGradGuard noGrad;
  const int before = at::get_num_threads();
  // The last panel of these layers is full, or half empty, or has few columns. The image has several rounds of tiles.
  for (const int64_t out : {3, 48, 64, 112, 129}) {
    const at::Tensor x = randn({3, 24, 41, 40}, makeGenerator(1)), tokens = randn({500, 24}, makeGenerator(2));
    const at::Tensor kernel = randn({out, 24, 3, 3}, makeGenerator(3)), bias = randn({out}, makeGenerator(4));
    const at::Tensor weight = randn({out, 24}, makeGenerator(5));
    std::vector<at::Tensor> images, rows;
    for (const int threads : {1, 2, 3, 5, 16}) {
      at::set_num_threads(threads);
      images.push_back(ops::frozenConv2d(x, kernel, bias, {1, 1, 1}));
      rows.push_back(ops::frozenLinear(tokens, weight, bias));
    }
    at::set_num_threads(before);
    const at::Tensor expected = at::conv2d(x.to(at::kDouble), kernel.to(at::kDouble), bias.to(at::kDouble), 1, 1);
    expectClose(images[0].to(at::kDouble), expected, 1e-4, 1e-5, c10::str(out, " channels"));
    if (ops::cpu::kernels() == nullptr) continue;  // libtorch's own layers promise no such bits.
    for (size_t i = 1; i < images.size(); ++i) EXPECT(images[i].equal(images[0]) && rows[i].equal(rows[0]));
  }
}

}  // namespace dan::tests
