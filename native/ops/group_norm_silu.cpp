#include "ops/group_norm_silu.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/op.h"

namespace dan::ops {

at::Tensor groupNormSiluPlain(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                              double eps) {
  return at::silu(at::group_norm(x, groups, weight, bias, eps));
}

namespace {

// Returns x in a memory format that libtorch's group normalisation supports. On CUDA that is only the contiguous one.
at::Tensor laidOut(const at::Tensor& x, const at::Tensor& like) {
  return x.contiguous(like.is_cpu() ? like.suggest_memory_format() : at::MemoryFormat::Contiguous);
}

// This serves frozen gains and biases. It saves only its input and the groups' statistics. Autograd would also keep the
// tensor between the normalisation and the SiLU.
class GroupNormSilu : public torch::autograd::Function<GroupNormSilu> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, int64_t groups,
                            const at::Tensor& weight, const at::Tensor& bias, double eps) {
    const auto [normed, mean, rstd] = normalise(x, groups, weight, bias, eps);
    context->save_for_backward({x, weight, bias, mean, rstd});
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    return at::silu(normed);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const int64_t groups = context->saved_data["groups"].toInt();
    const at::Tensor normed =
        std::get<0>(normalise(x, groups, weight, saved[2], context->saved_data["eps"].toDouble()));
    // The gradient arrives in the memory format of the next layer, but the backward function reads it as if it had x's.
    const at::Tensor gradient = laidOut(at::silu_backward(gradients[0], normed), x);
    const auto result = at::native_group_norm_backward(gradient, x, saved[3], saved[4], weight, x.size(0), x.size(1),
                                                       x.numel() / x.size(0) / x.size(1), groups, {true, false, false});
    return {std::get<0>(result), {}, {}, {}, {}};
  }

 private:
  static std::tuple<at::Tensor, at::Tensor, at::Tensor> normalise(const at::Tensor& x, int64_t groups,
                                                                  const at::Tensor& weight, const at::Tensor& bias,
                                                                  double eps) {
    return at::native_group_norm(x, weight, bias, x.size(0), x.size(1), x.numel() / x.size(0) / x.size(1), groups, eps);
  }
};

// No gradient needs the tensor between the two, so that the result can take its place.
at::Tensor groupNormSiluCpu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                            double eps) {
  at::Tensor normed = at::group_norm(x, groups, weight, bias, eps);
  return at::silu_(normed);
}

}  // namespace

at::Tensor groupNormSilu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                         double eps) {
  if (needsGradient({weight, bias})) return groupNormSiluPlain(x, groups, weight, bias, eps);
  if (needsGradient({x})) return GroupNormSilu::apply(laidOut(x, x), groups, weight, bias, eps);
  static const auto op = findOp<decltype(groupNormSiluPlain)>("dualanodiff::group_norm_silu");
  return op.call(x, groups, weight, bias, eps);
}

TORCH_LIBRARY_FRAGMENT(dualanodiff, library) {
  library.def("group_norm_silu(Tensor x, int groups, Tensor weight, Tensor bias, float eps) -> Tensor");
}
TORCH_LIBRARY_IMPL(dualanodiff, CPU, library) { library.impl("group_norm_silu", groupNormSiluCpu); }

}  // namespace dan::ops
