// dualanodiff-kernel-tests compares the fused kernels with float64 and with the plain forms. They run under the
// emulator and on a device if there is one.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdio>

#include "core/accelerator.h"
#include "ops/cuda/launch.h"
#include "ops/geglu.h"
#include "ops/group_norm_silu.h"
#include "ops/pair_norm.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

std::vector<at::Device> devices() {
  std::vector<at::Device> all = {at::kCPU};
  if (dan::cudaState().services != nullptr) all.emplace_back(at::kCUDA, 0);
  return all;
}

const std::vector<at::ScalarType> kTypes = {at::kFloat, at::kHalf, at::kBFloat16};

at::Tensor normal(at::IntArrayRef shape) {
  static at::Generator generator = at::detail::createCPUGenerator(5);
  return at::randn(shape, generator, at::TensorOptions().dtype(at::kDouble));
}

// The error against the float64 reference must be at most twice that of the plain form in the same dtype.
void expectAsGoodAsPlain(const at::Tensor& ours, const at::Tensor& plain, const at::Tensor& reference,
                         const std::string& what) {
  if (ours.sizes() != reference.sizes() || ours.scalar_type() != plain.scalar_type()) {
    failTest(c10::str(what, " is ", ours.scalar_type(), " ", ours.sizes(), ", expected ", plain.scalar_type(), " ",
                      reference.sizes()));
  }
  if (ours.numel() == 0) return;
  const auto error = [&](const at::Tensor& x) {
    return (x.cpu().to(at::kDouble) - reference).abs().max().item<double>();
  };
  constexpr double kFloor = 1e-6;
  const double limit = 2 * error(plain) + kFloor;
  if (!(error(ours) <= limit)) failTest(c10::str(what, " is off by ", error(ours), ", more than ", limit));
}

// Calls run(cast, description) for every device and dtype. cast(x) converts x to them.
template <class Run>
void everywhere(const Run& run) {
  const at::NoGradGuard noGrad;
  for (const at::Device device : devices()) {
    for (const at::ScalarType type : kTypes) {
      run([&](const at::Tensor& x) { return x.to(device, type); }, c10::str(type, " on ", device));
    }
  }
}

// The reference starts from the same rounded numbers as the kernels.
at::Tensor exact(const at::Tensor& x) { return x.cpu().to(at::kDouble); }

dan::ops::PairProducts castAll(const dan::ops::PairProducts& pair,
                               const std::function<at::Tensor(const at::Tensor&)>& cast) {
  return {cast(pair.anomaly), cast(pair.difference), cast(pair.products), cast(pair.base), cast(pair.scoreBias)};
}

}  // namespace

DAN_TEST(geglu_kernel) {
  everywhere([](const auto& cast, const std::string& where) {
    for (const auto& shape : std::vector<std::vector<int64_t>>{{3, 5, 64}, {7, 34}, {1, 2}, {0, 16}, {300, 80}}) {
      const at::Tensor x = cast(2 * normal(shape));
      const at::Tensor ours = x.is_cuda() ? ops::geglu(x) : ops::cuda::geglu(x, nullptr);
      expectAsGoodAsPlain(ours, ops::gegluPlain(x), ops::gegluPlain(exact(x)), "geglu of " + where);
    }
    const at::Tensor x = cast(normal({64, 6})).t();
    const at::Tensor ours = x.is_cuda() ? ops::geglu(x) : ops::cuda::geglu(x, nullptr);
    expectAsGoodAsPlain(ours, ops::gegluPlain(x), ops::gegluPlain(exact(x)), "geglu of a transposed " + where);
  });
}

DAN_TEST(geglu_kernel_passes_nan_on_and_refuses_what_it_cannot) {
  const at::Tensor x = at::zeros({2, 8});
  x[1][3] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor isNan = at::isnan(ops::cuda::geglu(x, nullptr));
  EXPECT(isNan.sum().item<int64_t>() == 1 && isNan[1][3].item<bool>());
  expectError([] { ops::cuda::geglu(at::zeros({2, 7}), nullptr); }, "an even last axis");
  expectError([] { ops::cuda::geglu(at::zeros({2, 8}, at::kDouble), nullptr); }, "float16 or bfloat16");
}

DAN_TEST(group_norm_silu_kernel) {
  everywhere([](const auto& cast, const std::string& where) {
    struct Shape {
      std::vector<int64_t> sizes;
      int64_t groups;
    };
    for (const Shape& shape : std::vector<Shape>{{{2, 32, 5, 7}, 8},
                                                 {{1, 12, 3, 3}, 4},
                                                 {{3, 64, 1, 1}, 32},
                                                 {{2, 6, 9, 2}, 1},
                                                 {{0, 8, 2, 2}, 2},
                                                 {{1, 320, 8, 8}, 32}}) {
      for (const bool channelsLast : {true, false}) {
        // An even background far from zero is typical of blank parts.
        at::Tensor x = cast(normal(shape.sizes) * 0.5 + 6);
        if (channelsLast) x = x.contiguous(at::MemoryFormat::ChannelsLast);
        const at::Tensor weight = cast(normal({shape.sizes[1]})), bias = cast(normal({shape.sizes[1]}));
        const at::Tensor ours = x.is_cuda() ? ops::groupNormSilu(x, shape.groups, weight, bias, 1e-5)
                                            : ops::cuda::groupNormSilu(x, shape.groups, weight, bias, 1e-5, nullptr);
        expectAsGoodAsPlain(
            ours, ops::groupNormSiluPlain(x.contiguous(), shape.groups, weight, bias, 1e-5),
            ops::groupNormSiluPlain(exact(x).contiguous(), shape.groups, exact(weight), exact(bias), 1e-5),
            c10::str("group norm and SiLU of ", at::IntArrayRef(shape.sizes), " ", where));
      }
    }
  });
  expectError(
      [] {
        ops::cuda::groupNormSilu(at::zeros({1, 6, 2, 2}), 4, at::zeros({6}), at::zeros({6}), 1e-5, nullptr);
      },
      "a multiple of 4");
}

// Training runs libtorch's group norm, which on CUDA supports the contiguous layout only.
DAN_TEST(group_norm_silu_has_gradients_in_both_layouts) {
  everywhere([](const auto& cast, const std::string& where) {
    const at::AutoGradMode enabled(true);
    const at::Tensor values = cast(normal({2, 32, 5, 7}) + 1), arriving = cast(normal({2, 32, 5, 7}));
    const at::Tensor weight = cast(normal({32})), bias = cast(normal({32}));
    const at::Tensor reference = exact(values).requires_grad_();
    ops::groupNormSiluPlain(reference, 8, exact(weight), exact(bias), 1e-5).backward(exact(arriving));
    for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
      for (const auto layoutOfGradient : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
        const at::Tensor x = values.detach().clone(layout).requires_grad_();
        ops::groupNormSilu(x, 8, weight, bias, 1e-5).backward(arriving.contiguous(layoutOfGradient));
        const double tolerance = x.scalar_type() == at::kFloat ? 1e-4 : 0.1;
        expectClose(x.grad().cpu(), reference.grad(), tolerance, tolerance,
                    c10::str("the gradient of ", layout, " with one of ", layoutOfGradient, ", ", where));
      }
    }
  });
}

DAN_TEST(pair_norm_kernel) {
  everywhere([](const auto& cast, const std::string& where) {
    for (const auto& [tokens, width] :
         std::vector<std::pair<int64_t, int64_t>>{{37, 320}, {5, 36}, {9, 7}, {0, 8}, {1, 1280}}) {
      const at::Tensor attended = cast(normal({2, tokens, width}) + 3), weight = cast(normal({width})),
                       bias = cast(normal({width}));
      const auto ours = attended.is_cuda() ? ops::pairNorm(attended, weight, bias, 1e-6)
                                           : ops::cuda::pairNorm(attended, weight, bias, 1e-6, nullptr);
      const auto plain = ops::pairNormPlain(attended, weight, bias, 1e-6);
      const auto reference = ops::pairNormPlain(exact(attended), exact(weight), exact(bias), 1e-6);
      expectAsGoodAsPlain(std::get<0>(ours), std::get<0>(plain), std::get<0>(reference), "the part's tokens, " + where);
      expectAsGoodAsPlain(std::get<1>(ours), std::get<1>(plain), std::get<1>(reference), "the difference, " + where);
    }
  });
  expectError(
      [] {
        ops::cuda::pairNorm(at::zeros({2, 3, 8}), at::zeros({4}), at::zeros({8}), 1e-6, nullptr);
      },
      "weight of shape [8]");
  expectError(
      [] {
        ops::cuda::pairNorm(at::zeros({2, 3, 8}), at::zeros({8}, at::kHalf), at::zeros({8}), 1e-6, nullptr);
      },
      "expected Float");
}

DAN_TEST(pair_mix_kernel) {
  everywhere([](const auto& cast, const std::string& where) {
    for (const auto& [tokens, width] :
         std::vector<std::pair<int64_t, int64_t>>{{37, 320}, {5, 36}, {9, 7}, {0, 8}, {1, 1280}}) {
      const double scale = 1 / std::sqrt(static_cast<double>(width));
      const dan::ops::PairProducts pair =
          castAll({normal({tokens, width}), normal({tokens, width}), scale * normal({tokens, 2 * width}),
                   normal({tokens, width}), scale * normal({width})},
                  cast);
      const at::Tensor attended = cast(normal({2, tokens, width}));
      at::Tensor ours = attended.clone(), plain = attended.clone(), reference = exact(attended);
      attended.is_cuda() ? ops::pairMix(ours, pair) : ops::cuda::pairMix(ours, pair, nullptr);
      ops::pairMixPlain(plain, pair);
      ops::pairMixPlain(reference, castAll(pair, exact));
      expectAsGoodAsPlain(ours, plain, reference, "the mix, " + where);
    }
  });
}

}  // namespace dan::tests

int main() {
  const dan::CudaState& state = dan::cudaState();
  std::printf("device: %s\n", state.services != nullptr ? state.services->describe({at::kCUDA, 0}).name.c_str()
                              : state.reason.empty()    ? "none, the emulator only"
                                                        : state.reason.c_str());
  return dan::tests::runAll();
}
