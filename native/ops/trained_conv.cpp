#include "ops/trained_conv.h"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "ops/cpu/winograd4.h"
#include "ops/op.h"

namespace dan::ops {

namespace {

constexpr auto kPixels = at::MemoryFormat::ChannelsLast;
constexpr int64_t kSide = 3, kTapsOfSide = kSide * kSide;

cpu::ImageShape imageShape(const at::Tensor& x) { return {x.size(0), x.size(2), x.size(3)}; }

// Few channels leave most lanes of a wide vector empty.
const cpu::Kernels& kernelsFor(int64_t depth, int64_t columns) {
  constexpr int64_t kNarrow = 8;
  const bool isNarrow = std::min(depth, columns) <= kNarrow && !cpu::areKernelsReplaced();
  return isNarrow ? cpu::kAvx2Kernels : *cpu::kernels();
}

bool runsOnWinograd(const at::Tensor& x, const at::Tensor& weight, const ConvGeometry& geometry) {
  // libtorch is faster with fewer channels.
  constexpr int64_t kFewestChannels = 6;
  const bool isSame = weight.size(2) == kSide && weight.size(3) == kSide && geometry.stride == 1 &&
                      geometry.padding == 1 && geometry.dilation == 1;
  if (!isSame || !x.device().is_cpu() || !weight.device().is_cpu() || cpu::kernels() == nullptr) return false;
  if (x.scalar_type() != at::kFloat || weight.scalar_type() != at::kFloat || x.dim() != 4) return false;
  if (std::min(weight.size(0), weight.size(1)) < kFewestChannels || x.size(1) != weight.size(1)) return false;
  cpu::ImageShape shape = imageShape(x);
  // The choice must not depend on the other images of a batch that is scored.
  if (!at::GradMode::is_enabled()) shape.count = std::min<int64_t>(shape.count, 1);
  return cpu::winograd4Pays(shape);
}

// Returns the weight (out, in, 3, 3) as (9 * in, out). libtorch copies a transposed matrix faster than other layouts.
at::Tensor forwardTaps(const at::Tensor& weight) {
  return weight.permute({0, 2, 3, 1}).reshape({weight.size(0), -1}).t();
}

// Returns it as (9 * out, in), with the taps backwards, which makes the convolution that gives the gradient of the
// input.
at::Tensor backwardTaps(const at::Tensor& weight) {
  return weight.flip({2, 3}).permute({2, 3, 0, 1}).reshape({-1, weight.size(1)});
}

// kernels: (9 * depth, columns). Convolves x, (N, depth, h, w), with them.
at::Tensor convolved(const at::Tensor& x, const at::Tensor& kernels, const at::Tensor& bias) {
  RECORD_FUNCTION("dualanodiff::winograd", {});
  const int64_t depth = x.size(1), columns = kernels.size(1);
  const cpu::Kernels& on = kernelsFor(depth, columns);
  const at::Tensor pixels = x.contiguous(kPixels);
  const int64_t missing = cpu::paddedColumns(on, columns) - columns;
  const at::Tensor taps = (missing > 0 ? at::constant_pad_nd(kernels, {0, missing}) : kernels).contiguous();
  at::Tensor result = at::empty({x.size(0), columns, x.size(2), x.size(3)}, x.options(), kPixels);
  const at::Tensor offset = bias.defined() ? bias.contiguous() : bias;
  cpu::winograd4(on, pixels.const_data_ptr<float>(), imageShape(x), depth, taps.const_data_ptr<float>(), columns,
                 offset.defined() ? offset.const_data_ptr<float>() : nullptr, result.mutable_data_ptr<float>());
  return result;
}

struct WeightGradients {
  at::Tensor weight, bias;
};
WeightGradients weightGradients(const at::Tensor& x, const at::Tensor& gradient) {
  RECORD_FUNCTION("dualanodiff::winograd_weight_gradients", {});
  const int64_t depth = x.size(1), columns = gradient.size(1);
  const cpu::Kernels& on = kernelsFor(depth, columns);
  const at::Tensor taps = at::empty({kTapsOfSide, depth, cpu::paddedColumns(on, columns)}, x.options());
  const at::Tensor bias = at::empty({columns}, x.options());
  cpu::winograd4Gradients(on, x.const_data_ptr<float>(), gradient.const_data_ptr<float>(), imageShape(x), depth,
                          columns, taps.mutable_data_ptr<float>(), bias.mutable_data_ptr<float>());
  const at::Tensor rows = taps.narrow(2, 0, columns).flatten(0, 1).t().contiguous();  // (out, 9 * in)
  return {rows.view({columns, kSide, kSide, depth}).permute({0, 3, 1, 2}), bias};
}

class TrainedConv2d : public torch::autograd::Function<TrainedConv2d> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    const at::Tensor pixels = x.contiguous(kPixels);
    context->save_for_backward({pixels, weight});
    context->saved_data["hasBias"] = bias.has_value();
    return convolved(pixels, forwardTaps(weight), bias.value_or(at::Tensor()));
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], gradient = gradients[0].contiguous(kPixels);
    at::Tensor ofInput;
    if (context->needs_input_grad(0)) ofInput = convolved(gradient, backwardTaps(weight), {});
    if (!context->needs_input_grad(1)) return {ofInput, {}, {}};
    const WeightGradients of = weightGradients(x, gradient);
    return {ofInput, of.weight, context->saved_data["hasBias"].toBool() ? of.bias : at::Tensor()};
  }
};

}  // namespace

at::Tensor trainedConv2dPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const ConvGeometry& geometry) {
  return at::conv2d(x, weight, bias, geometry.stride, geometry.padding, geometry.dilation);
}

at::Tensor trainedConv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         const ConvGeometry& geometry) {
  if (!runsOnWinograd(x, weight, geometry)) return trainedConv2dPlain(x, weight, bias, geometry);
  return TrainedConv2d::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

}  // namespace dan::ops
