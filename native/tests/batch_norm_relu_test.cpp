// Batch normalization joined with ReLU gives the values, gradients and running statistics of libtorch's two operations.
#include "ops/batch_norm_relu.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>

#include "core/random.h"
#include "tests/emulated_kernels.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr double kNormMomentum = 0.1, kNormEps = 1e-5;

struct NormedValues {
  at::Tensor result, ofInput, ofWeight, ofBias, runningMean, runningVar;
  bool isJoined = false;
};

using Normalize = at::Tensor(const at::Tensor&, const ops::BatchNormTensors&, bool, double, double);

NormedValues normedValues(at::IntArrayRef sizes, at::ScalarType dtype, Normalize& normalize) {
  const auto drawn = [&](at::IntArrayRef shape, uint64_t seed) { return randn(shape, makeGenerator(seed)).to(dtype); };
  const int64_t channels = sizes[1];
  // The mean is far from zero beside the deviation, which must not cost digits.
  at::Tensor x = (drawn(sizes, 1) * 0.5 + 7 * drawn({channels, 1, 1}, 2))
                     .contiguous(at::MemoryFormat::ChannelsLast)
                     .requires_grad_();
  at::Tensor weight = (drawn({channels}, 3) + 1).requires_grad_(), bias = drawn({channels}, 4).requires_grad_();
  const at::Tensor mean = drawn({channels}, 5), variance = drawn({channels}, 6).abs();
  const at::Tensor result = normalize(x, {weight, bias, mean, variance}, true, kNormMomentum, kNormEps);
  // The next layer may hand on a gradient of another layout.
  result.backward(drawn(sizes, 7));
  const bool isJoined = result.grad_fn()->name().find("BatchNormRelu") != std::string::npos;
  return {result.detach(), x.grad(), weight.grad(), bias.grad(), mean, variance, isJoined};
}

void expectLikeTwoOperations(at::IntArrayRef sizes, bool isJoined) {
  const NormedValues actual = normedValues(sizes, at::kFloat, ops::batchNormRelu),
                     expected = normedValues(sizes, at::kDouble, ops::batchNormReluPlain);
  EXPECT(actual.isJoined == (isJoined && ops::cpu::kernels() != nullptr));
  const auto compare = [&](const at::Tensor& a, const at::Tensor& b, const char* name) {
    constexpr double kTolerance = 1e-5;  // of the largest value
    expectClose(a, b, kTolerance * b.abs().max().item<double>(), 0, c10::str(sizes, ": ", name));
  };
  compare(actual.result, expected.result, "values");
  compare(actual.ofInput, expected.ofInput, "gradient of the input");
  compare(actual.ofWeight, expected.ofWeight, "gradient of the weight");
  compare(actual.ofBias, expected.ofBias, "gradient of the bias");
  compare(actual.runningMean, expected.runningMean, "running mean");
  compare(actual.runningVar, expected.runningVar, "running variance");
}

void expectAllLikeTwoOperations() {
  // Several pixels in a vector; parts of one row, of odd numbers of rows, and a last one that is not full.
  for (const std::vector<int64_t>& sizes : std::vector<std::vector<int64_t>>{
           {2, 8, 6, 5}, {3, 16, 9, 7}, {2, 4, 37, 52}, {1, 32, 45, 33}, {4, 4112, 1, 1}, {16, 64, 1, 1}}) {
    expectLikeTwoOperations(sizes, /*isJoined=*/true);
  }
  // Channels that fill no vectors, and pixels that fill none.
  expectLikeTwoOperations({2, 24 + 1, 6, 5}, /*isJoined=*/false);
  expectLikeTwoOperations({1, 4, 3, 3}, /*isJoined=*/false);
}

// On a CPU without kernels of ours, libtorch's two operations do the work, with fewer right digits than these tests ask
// for, and with other ones for another number of threads.
bool hasOwnKernels() { return ops::cpu::kernels() != nullptr; }

}  // namespace

DAN_TEST(batch_norm_with_relu_has_the_values_and_gradients_of_the_two) {
  if (hasOwnKernels()) expectAllLikeTwoOperations();
}

DAN_TEST(batch_norm_with_relu_is_right_on_other_kernels) {
  for (const auto* kernels : {&emulatedAvx512(), &ops::cpu::kAvx2Kernels}) {
    const UseKernels use(*kernels);
    expectAllLikeTwoOperations();
  }
}

DAN_TEST(batch_norm_with_relu_is_the_same_with_one_thread_and_with_two) {
  if (!hasOwnKernels()) return;
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const NormedValues one = normedValues({4, 16, 40, 30}, at::kFloat, ops::batchNormRelu);
  at::set_num_threads(2);
  const NormedValues two = normedValues({4, 16, 40, 30}, at::kFloat, ops::batchNormRelu);
  at::set_num_threads(threads);
  EXPECT(at::equal(one.result, two.result) && at::equal(one.ofInput, two.ofInput));
  EXPECT(at::equal(one.ofWeight, two.ofWeight) && at::equal(one.ofBias, two.ofBias));
  EXPECT(at::equal(one.runningVar, two.runningVar));
}

DAN_TEST(batch_norm_with_relu_passes_on_what_is_not_a_number) {
  at::Tensor x = at::ones({2, 16, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast);
  x[1][3][2][2] = std::numeric_limits<float>::quiet_NaN();
  at::Tensor weight = at::ones({16}).requires_grad_(), bias = at::ones({16}).requires_grad_();
  const at::Tensor result =
      ops::batchNormRelu(x, {weight, bias, at::zeros({16}), at::ones({16})}, true, kNormMomentum, kNormEps);
  EXPECT(at::equal(result.isnan().any(0).any(1).any(1), at::arange(16) == 3));
}

DAN_TEST(batch_norm_with_relu_scores_by_its_running_statistics) {
  const at::Tensor x = randn({2, 16, 4, 4}, makeGenerator(1)).contiguous(at::MemoryFormat::ChannelsLast);
  const ops::BatchNormTensors norm = {at::ones({16}).requires_grad_(), at::zeros({16}).requires_grad_(),
                                      at::zeros({16}), at::full({16}, 4 - kNormEps)};
  const at::NoGradGuard noGrad;
  expectClose(ops::batchNormRelu(x, norm, false, kNormMomentum, kNormEps), at::relu(x) / 2, 1e-6, 0, "scores");
  EXPECT(at::equal(norm.runningMean, at::zeros({16})));
}

}  // namespace dan::tests
