// Convolutions with trained weights give the values and gradients of libtorch's, whatever the shape and the kernels.
#include "ops/trained_conv.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "ops/cpu/winograd4.h"
#include "tests/emulated_kernels.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr ops::ConvGeometry kSame = {1, 1, 1};
constexpr double kConvTolerance = 2e-5;  // of the largest value; a plain sum has about a tenth of this error

struct ConvShape {
  int64_t images, in, out, height, width;
};

struct ConvValues {
  at::Tensor result, ofInput, ofWeight, ofBias;
};

using Convolve = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const ops::ConvGeometry&);

ConvValues valuesOf(const ConvShape& shape, at::ScalarType dtype, Convolve& convolve, bool hasBias = true) {
  const auto drawn = [&](at::IntArrayRef sizes, uint64_t seed) { return randn(sizes, makeGenerator(seed)).to(dtype); };
  at::Tensor x = drawn({shape.images, shape.in, shape.height, shape.width}, 1).requires_grad_();
  at::Tensor weight = drawn({shape.out, shape.in, 3, 3}, 2).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  at::Tensor bias = drawn({shape.out}, 3).requires_grad_();
  const at::Tensor result = convolve(x, weight, hasBias ? bias : at::Tensor(), kSame);
  result.backward(drawn(result.sizes(), 4));
  return {result.detach(), x.grad(), weight.grad(), bias.grad()};
}

void expectLikeLibtorch(const ConvShape& shape) {
  EXPECT(ops::cpu::winograd4Pays({shape.images, shape.height, shape.width}));  // Otherwise nothing is compared.
  const ConvValues actual = valuesOf(shape, at::kFloat, ops::trainedConv2d),
                   expected = valuesOf(shape, at::kDouble, ops::trainedConv2dPlain);
  const std::string what = c10::str(shape.images, " images of ", shape.in, " x ", shape.height, " x ", shape.width,
                                    " to ", shape.out, " channels: ");
  const auto compare = [&](const at::Tensor& a, const at::Tensor& b, const char* name) {
    expectClose(a, b, kConvTolerance * b.abs().max().item<double>(), 0, what + name);
  };
  compare(actual.result, expected.result, "values");
  compare(actual.ofInput, expected.ofInput, "gradient of the input");
  compare(actual.ofWeight, expected.ofWeight, "gradient of the weight");
  compare(actual.ofBias, expected.ofBias, "gradient of the bias");
}

void expectAllLikeLibtorch() {
  // Whole tiles; parts of tiles at the right and at the bottom; channels that fill no vector; few and many blocks.
  for (const ConvShape& shape : {ConvShape{3, 16, 16, 16, 16},
                                 {1, 7, 21, 35, 34},
                                 {2, 40, 9, 33, 18},
                                 {1, 8, 8, 28, 29},
                                 {16, 34, 50, 8, 8},
                                 {4, 6, 6, 64, 60}}) {
    expectLikeLibtorch(shape);
  }
}

}  // namespace

DAN_TEST(a_trained_convolution_has_the_values_and_gradients_of_libtorch) { expectAllLikeLibtorch(); }

DAN_TEST(a_trained_convolution_is_right_on_other_kernels) {
  for (const auto* kernels : {&emulatedAvx512(), &ops::cpu::kAvx2Kernels}) {
    const UseKernels use(*kernels);
    expectAllLikeLibtorch();
  }
}

DAN_TEST(a_trained_convolution_needs_no_bias_and_no_gradient_of_its_input) {
  const ConvShape shape = {3, 16, 24, 16, 16};
  const ConvValues with = valuesOf(shape, at::kFloat, ops::trainedConv2d),
                   without = valuesOf(shape, at::kFloat, ops::trainedConv2d, /*hasBias=*/false);
  EXPECT(!without.ofBias.defined());
  if (ops::cpu::kernels() != nullptr) {  // libtorch's own convolution promises no such bits.
    EXPECT(at::equal(with.ofWeight, without.ofWeight) && at::equal(with.ofInput, without.ofInput));
  }

  const at::Tensor x = randn({3, 16, 16, 16}, makeGenerator(1));
  at::Tensor weight = randn({24, 16, 3, 3}, makeGenerator(2)).requires_grad_();
  const at::Tensor result = ops::trainedConv2d(x, weight, {}, kSame);
  result.backward(randn(result.sizes(), makeGenerator(4)));
  expectClose(weight.grad(), with.ofWeight, kConvTolerance * with.ofWeight.abs().max().item<double>(), 0,
              "gradient of the weight");
}

DAN_TEST(a_trained_convolution_is_libtorchs_for_other_shapes) {
  const auto expectEqual = [](const at::Tensor& x, at::IntArrayRef weightSizes, const ops::ConvGeometry& geometry) {
    at::Tensor weight = randn(weightSizes, makeGenerator(2)).to(x.dtype()).requires_grad_();
    EXPECT(at::equal(ops::trainedConv2d(x, weight, {}, geometry), ops::trainedConv2dPlain(x, weight, {}, geometry)));
  };
  const at::Tensor x = randn({3, 16, 16, 16}, makeGenerator(1));
  expectEqual(x, {16, 16, 3, 3}, {2, 1, 1});
  expectEqual(x, {16, 16, 3, 3}, {1, 2, 2});
  expectEqual(x, {16, 16, 1, 1}, {1, 0, 1});
  expectEqual(x, {3, 16, 3, 3}, kSame);
  expectEqual(x.to(at::kDouble), {16, 16, 3, 3}, kSame);
  expectEqual(x.narrow(0, 0, 1).narrow(2, 0, 4), {16, 16, 3, 3}, kSame);
  expectEqual(x.narrow(0, 0, 0), {16, 16, 3, 3}, kSame);
}

DAN_TEST(scored_images_do_not_depend_on_their_batch) {
  if (ops::cpu::kernels() == nullptr) return;
  const at::NoGradGuard noGrad;
  const at::Tensor weight = randn({16, 16, 3, 3}, makeGenerator(2));
  const at::Tensor large = randn({5, 16, 32, 32}, makeGenerator(1)), small = randn({5, 16, 16, 16}, makeGenerator(1));
  const at::Tensor alone = ops::trainedConv2d(large.narrow(0, 3, 1), weight, {}, kSame);
  EXPECT(at::equal(ops::trainedConv2d(large, weight, {}, kSame).narrow(0, 3, 1), alone));
  // One image of 16 pixels a side has too few tiles for Winograd's method, and the batch of five has enough.
  EXPECT(ops::cpu::winograd4Pays({5, 16, 16}) && !ops::cpu::winograd4Pays({1, 16, 16}));
  EXPECT(at::equal(ops::trainedConv2d(small, weight, {}, kSame), ops::trainedConv2dPlain(small, weight, {}, kSame)));
}

DAN_TEST(gradients_of_a_trained_convolution_do_not_depend_on_the_threads) {
  if (ops::cpu::kernels() == nullptr) return;  // libtorch's own convolution promises no such bits.
  const ConvShape shape = {4, 16, 24, 64, 64};
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const ConvValues one = valuesOf(shape, at::kFloat, ops::trainedConv2d);
  at::set_num_threads(3);
  const ConvValues three = valuesOf(shape, at::kFloat, ops::trainedConv2d);
  at::set_num_threads(threads);
  EXPECT(at::equal(one.result, three.result) && at::equal(one.ofInput, three.ofInput));
  EXPECT(at::equal(one.ofWeight, three.ofWeight) && at::equal(one.ofBias, three.ofBias));
}

}  // namespace dan::tests
