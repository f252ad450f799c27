#include "ops/lora_linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include "ops/frozen.h"
#include "ops/op.h"

namespace dan::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t kBranches = 2;

// Repeats both branches' matrices for rows ordered (pair, branch), in the working dtype. Returns (rows, a, b).
at::Tensor ofRows(const at::Tensor& first, const at::Tensor& second, int64_t rows, at::ScalarType dtype) {
  return at::stack({first, second}).to(dtype).repeat({rows / kBranches, 1, 1});
}

// Reduces the gradient of such a stack to one per branch, summed over the pairs. The trained matrices are in float32,
// so their gradients are too.
at::Tensor byBranch(const at::Tensor& gradient) { return gradient.to(at::kFloat).unflatten(0, {-1, kBranches}).sum(0); }

// Both passes add the LoRA's contribution in place to the frozen layer's result, which saves a tensor of that size.
class LoraLinear : public Function<LoraLinear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& down0,
                            const at::Tensor& down1, const at::Tensor& up0, const at::Tensor& up1,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias, double scale) {
    const at::Tensor rows = x.reshape({x.size(0) * kBranches, x.size(2), x.size(3)});
    const at::Tensor down = ofRows(down0, down1, rows.size(0), x.scalar_type());
    const at::Tensor up = ofRows(up0, up1, rows.size(0), x.scalar_type());
    const at::Tensor narrow = at::bmm(rows, down.transpose(1, 2));
    at::Tensor result = frozenLinear(rows, weight, bias.value_or(at::Tensor()));
    result.baddbmm_(narrow, up.transpose(1, 2), 1, scale);
    context->save_for_backward({rows, narrow, down, up, weight});
    context->saved_data["scale"] = scale;
    return result.view({x.size(0), kBranches, x.size(2), weight.size(0)});
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &rows = saved[0], &narrow = saved[1], &down = saved[2], &up = saved[3], &weight = saved[4];
    const double scale = context->saved_data["scale"].toDouble();
    const at::Tensor gradient = gradients[0].reshape({rows.size(0), rows.size(1), weight.size(0)});
    const at::Tensor ofNarrow = at::bmm(gradient, up).mul_(scale);
    const at::Tensor ofUp = byBranch(at::bmm(gradient.transpose(1, 2), narrow)).mul_(scale);
    const at::Tensor ofDown = byBranch(at::bmm(ofNarrow.transpose(1, 2), rows));
    at::Tensor ofX;
    if (context->needs_input_grad(0)) {
      ofX = frozenLinear(gradient, weight.t(), {});
      ofX.baddbmm_(ofNarrow, down);
      ofX = ofX.view({-1, kBranches, rows.size(1), rows.size(2)});
    }
    return {ofX, ofDown[0], ofDown[1], ofUp[0], ofUp[1], {}, {}, {}};
  }
};

}  // namespace

at::Tensor loraLinearPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const LoraMatrices& lora, double scale) {
  const auto stacked = [&](const auto& pair) { return at::stack({pair[0], pair[1]}).transpose(1, 2).to(x.dtype()); };
  // (B, 2, L, in) x (2, in, rank) x (2, rank, out)
  return frozenLinearPlain(x, weight, bias) + scale * at::matmul(at::matmul(x, stacked(lora.down)), stacked(lora.up));
}

at::Tensor loraLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const LoraMatrices& lora,
                      double scale) {
  if (needsGradient({weight, bias}))
    // Pretraining trains the base too.
    return loraLinearPlain(x, weight, bias, lora, scale);
  return LoraLinear::apply(x, lora.down[0], lora.down[1], lora.up[0], lora.up[1], weight,
                           bias.defined() ? std::optional(bias) : std::nullopt, scale);
}

}  // namespace dan::ops
