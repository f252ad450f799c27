#include "ops/frozen.h"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ops/amx_pays.h"
#include "ops/cpu/amx_product.h"
#include "ops/cpu/product.h"
#include "ops/cpu/winograd4.h"
#include "ops/op.h"

namespace dan::ops {

namespace {

// Autograd's functions take a tensor that may be missing as an optional.
std::optional<at::Tensor> given(const at::Tensor& x) { return x.defined() ? std::optional(x) : std::nullopt; }

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

bool runsOnProduct(const at::Tensor& x) { return readsStoredWeights(x.device(), x.scalar_type()); }

// Returns true if x and the weights are in bfloat16 on a CPU with AMX.
bool isAmxWork(const at::Tensor& x, const at::Tensor& weight) {
  const cpu::Kernels* kernels = cpu::kernels();
  return kernels != nullptr && kernels->amx != nullptr && x.device().is_cpu() && x.numel() > 0 &&
         x.scalar_type() == at::kBFloat16 && weight.scalar_type() == at::kBFloat16;
}

at::Tensor widened(const at::Tensor& weight, const at::Tensor& x) { return weight.to(x.scalar_type()); }

// The product reads as many numbers as the weight has channels, and would read beyond the end of a narrower input.
void expectChannels(int64_t received, int64_t expected) {
  TORCH_CHECK(received == expected, "Expected ", expected, " input channels for a layer but received ", received);
}

const float* biasData(const at::Tensor& bias, at::Tensor& asFloat) {
  if (!bias.defined()) return nullptr;
  asFloat = bias.to(at::kFloat).contiguous();
  return asFloat.const_data_ptr<float>();
}

// weight: (out, in)
cpu::ProductWeights linearWeights(const at::Tensor& weight) {
  return {weight.const_data_ptr(), weight.scalar_type(), weight.size(0), 1, weight.size(1), weight.stride(0), 0,
          weight.stride(1)};
}

// Computes result (..., out) = x (..., in) times weight. The weight (out, in) may have any strides; x and result are
// contiguous.
void multiplyInto(const at::Tensor& result, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const int64_t depth = weight.size(1), columns = weight.size(0);
  at::Tensor asFloat;
  const auto* data = x.const_data_ptr<float>();
  cpu::product(
      *cpu::kernels(), x.numel() / depth,
      [&](int64_t first, int64_t count, const float** starts) {
        for (int64_t r = 0; r < count; ++r) starts[r] = data + (first + r) * depth;
      },
      linearWeights(weight), biasData(bias, asFloat), result.mutable_data_ptr<float>(), columns);
}

at::Tensor linearProduct(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  RECORD_FUNCTION("dualanodiff::frozen_linear", {});
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  at::Tensor result = at::empty(shape, x.options());
  multiplyInto(result, x.contiguous(), weight, bias);
  return result;
}

// Returns true for a 3x3 kernel whose result has the size of its input.
bool isSame(int64_t kernel, const ConvGeometry& geometry) {
  return kernel == 3 && geometry.stride == 1 && geometry.padding == 1 && geometry.dilation == 1;
}

// Convolves x with the weights W[column][tap][k].
at::Tensor convProduct(const at::Tensor& x, const cpu::ProductWeights& weights, const at::Tensor& bias, int64_t kernel,
                       const ConvGeometry& geometry) {
  RECORD_FUNCTION("dualanodiff::frozen_conv2d", {});
  const at::Tensor pixels = x.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t n = x.size(0), depth = x.size(1), height = x.size(2), width = x.size(3);
  const auto outSize = [&](int64_t in) {
    return (in + 2 * geometry.padding - geometry.dilation * (kernel - 1) - 1) / geometry.stride + 1;
  };
  const int64_t outHeight = outSize(height), outWidth = outSize(width);
  at::Tensor result = at::empty({n, weights.columns, outHeight, outWidth}, x.options(), at::MemoryFormat::ChannelsLast);
  const at::Tensor outside = at::zeros({depth}, x.options());  // taps beyond the edges read zeros
  const auto *data = pixels.const_data_ptr<float>(), *zeros = outside.const_data_ptr<float>();
  const auto starts = [&](int64_t first, int64_t count, const float** into) {
    for (int64_t r = 0; r < count; ++r) {
      const int64_t pixel = first + r, image = pixel / (outHeight * outWidth);
      const int64_t top = pixel / outWidth % outHeight * geometry.stride - geometry.padding;
      const int64_t left = pixel % outWidth * geometry.stride - geometry.padding;
      for (int64_t tap = 0; tap < kernel * kernel; ++tap) {
        const int64_t y = top + tap / kernel * geometry.dilation, x = left + tap % kernel * geometry.dilation;
        const bool isInside = y >= 0 && y < height && x >= 0 && x < width;
        into[tap * cpu::kRowBlock + r] = isInside ? data + ((image * height + y) * width + x) * depth : zeros;
      }
    }
  };
  at::Tensor asFloat;
  const cpu::ImageShape shape{n, height, width};
  if (isSame(kernel, geometry) && cpu::winogradPays(shape)) {
    // F(4x4) rounds less exactly than F(2x2), so it serves only the wide layers, which take the time. The choice does
    // not depend on the other images of a batch, because their results differ in the last bits.
    constexpr int64_t kWideDepth = 128;
    const bool isWideAndLarge = depth >= kWideDepth && cpu::winograd4Pays({1, height, width});
    const auto convolve = isWideAndLarge ? cpu::winograd4Frozen : cpu::winograd;
    convolve(*cpu::kernels(), data, shape, weights, biasData(bias, asFloat), result.mutable_data_ptr<float>());
    return result;
  }
  cpu::product(*cpu::kernels(), n * outHeight * outWidth, starts, weights, biasData(bias, asFloat),
               result.mutable_data_ptr<float>(), weights.columns);
  return result;
}

// The taps lie in rows of (k, k) in every memory format that libtorch uses, so that one stride describes them.
cpu::ProductWeights kernelWeights(const at::Tensor& weight) {
  const at::Tensor& w = weight;
  TORCH_CHECK(w.size(3) == 1 || w.stride(2) == w.size(3) * w.stride(3), "a kernel's taps must be evenly spaced");
  return {w.const_data_ptr(), w.scalar_type(), w.size(0),   w.size(2) * w.size(3),
          w.size(1),          w.stride(0),     w.stride(3), w.stride(1)};
}

// For a convolution of stride 1, the gradient of the input is a convolution of the output's gradient with these
// weights: the taps run backwards, and input and output channels are exchanged.
cpu::ProductWeights turnedWeights(const at::Tensor& weight) {
  cpu::ProductWeights turned = kernelWeights(weight);
  turned.data = static_cast<const char*>(turned.data) +
                (turned.taps - 1) * turned.tapStride * static_cast<int64_t>(c10::elementSize(turned.dtype));
  turned.tapStride = -turned.tapStride;
  std::swap(turned.columns, turned.depth);
  std::swap(turned.columnStride, turned.depthStride);
  return turned;
}

bool paysOnAmx(const at::Tensor& x, const at::Tensor& weight) {
  return isAmxWork(x, weight) && cpu::amxTakes(linearWeights(weight)) && amxPaysForLinear(x.numel() / x.size(-1));
}

// Computes result (..., out) = x (..., in) times weight on AMX. Both are contiguous.
void multiplyOnAmx(const at::Tensor& result, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  RECORD_FUNCTION("dualanodiff::amx_linear", {});
  at::Tensor asFloat;
  cpu::amxLinear(*cpu::kernels(), x.view({-1, x.size(-1)}), linearWeights(weight), biasData(bias, asFloat), result);
}

// Convolves x with W[column][tap][k], which are the values of `weight`. Returns nothing where AMX does not pay.
std::optional<at::Tensor> convOnAmx(const at::Tensor& x, const at::Tensor& weight, const cpu::ProductWeights& weights,
                                    const at::Tensor& bias, int64_t kernel, const ConvGeometry& geometry) {
  if (!isAmxWork(x, weight) || !cpu::amxTakes(weights)) return std::nullopt;
  const int64_t pixels = x.numel() / x.size(1);
  const bool isPoint = kernel == 1 && geometry.stride == 1 && geometry.padding == 0;
  if (!(isPoint && amxPaysForLinear(pixels)) && !(isSame(kernel, geometry) && amxPaysForConvolution(pixels)))
    return std::nullopt;
  RECORD_FUNCTION("dualanodiff::amx_conv2d", {});
  at::Tensor result =
      at::empty({x.size(0), weights.columns, x.size(2), x.size(3)}, x.options(), at::MemoryFormat::ChannelsLast);
  at::Tensor asFloat;
  const float* offset = biasData(bias, asFloat);
  if (isPoint) {
    const at::Tensor rows = x.permute({0, 2, 3, 1}).contiguous().view({pixels, x.size(1)});
    cpu::amxLinear(*cpu::kernels(), rows, weights, offset, result);
  } else {
    cpu::amxConvolution(*cpu::kernels(), x, weights, offset, result);
  }
  return result;
}

at::Tensor linearForward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (runsOnProduct(x)) return linearProduct(x, weight, bias);
  if (!paysOnAmx(x, weight)) return frozenLinearPlain(x, weight, bias);
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  at::Tensor result = at::empty(shape, x.options());
  multiplyOnAmx(result, x.contiguous(), weight, bias);
  return result;
}

at::Tensor convForward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const ConvGeometry& geometry) {
  if (runsOnProduct(x)) return convProduct(x, kernelWeights(weight), bias, weight.size(2), geometry);
  if (isAmxWork(x, weight)) {
    if (const auto result = convOnAmx(x, weight, kernelWeights(weight), bias, weight.size(2), geometry)) return *result;
  }
  return frozenConv2dPlain(x, weight, bias, geometry);
}

class FrozenLinear : public Function<FrozenLinear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    context->save_for_backward({weight});
    return linearForward(x, weight, bias.value_or(at::Tensor()));
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor weight = context->get_saved_variables()[0];
    return {linearForward(gradients[0], weight.t(), {}), {}, {}};
  }
};

class FrozenConv2d : public Function<FrozenConv2d> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, const ConvGeometry& geometry) {
    context->save_for_backward({weight});
    context->saved_data["shape"] = x.sizes().vec();
    context->saved_data["stride"] = geometry.stride;
    context->saved_data["padding"] = geometry.padding;
    context->saved_data["dilation"] = geometry.dilation;
    return convForward(x, weight, bias.value_or(at::Tensor()), geometry);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor weight = context->get_saved_variables()[0];
    const at::Tensor& gradient = gradients[0];
    const ConvGeometry geometry{context->saved_data["stride"].toInt(), context->saved_data["padding"].toInt(),
                                context->saved_data["dilation"].toInt()};
    const int64_t kernel = weight.size(2), padding = geometry.dilation * (kernel - 1) - geometry.padding;
    if (runsOnProduct(gradient) && geometry.stride == 1 && padding >= 0) {
      return {convProduct(gradient, turnedWeights(weight), {}, kernel, {1, padding, geometry.dilation}), {}, {}, {}};
    }
    if (isAmxWork(gradient, weight) && geometry.stride == 1 && padding >= 0) {
      const auto result =
          convOnAmx(gradient, weight, turnedWeights(weight), {}, kernel, {1, padding, geometry.dilation});
      if (result) return {*result, {}, {}, {}};
    }
    const std::vector<int64_t> shape = context->saved_data["shape"].toIntVector();
    // The backward function reads only its shape.
    const at::Tensor shaped = at::empty(shape, gradient.options(), at::MemoryFormat::ChannelsLast);
    const auto both = [](int64_t x) { return std::vector<int64_t>{x, x}; };
    const auto result = at::convolution_backward(gradient, shaped, widened(weight, gradient), std::nullopt,
                                                 both(geometry.stride), both(geometry.padding), both(geometry.dilation),
                                                 /*transposed=*/false, {0, 0}, /*groups=*/1, {true, false, false});
    return {std::get<0>(result), {}, {}, {}};
  }
};

}  // namespace

bool readsStoredWeights(at::Device device, at::ScalarType dtype) {
  return device.is_cpu() && dtype == at::kFloat && cpu::kernels() != nullptr;
}

at::Tensor frozenLinearPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(x, widened(weight, x), bias.defined() ? widened(bias, x) : bias);
}

at::Tensor groupedLinearPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor result = at::bmm(x, weight);
  return bias.defined() ? result.add_(bias) : result;
}

at::Tensor groupedLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  expectChannels(x.size(2), weight.size(1));
  const bool isOnAmx = x.size(0) > 0 && paysOnAmx(x[0], weight[0].t());
  if (!runsOnProduct(x) && !isOnAmx) return groupedLinearPlain(x, weight, bias);
  RECORD_FUNCTION("dualanodiff::grouped_linear", {});
  at::Tensor result = at::empty({x.size(0), x.size(1), weight.size(2)}, x.options());
  const at::Tensor rows = x.contiguous();
  const auto multiply = isOnAmx ? multiplyOnAmx : multiplyInto;
  for (int64_t group = 0; group < x.size(0); ++group) {
    multiply(result[group], rows[group], weight[group].t(), bias);
  }
  return result;
}

at::Tensor frozenConv2dPlain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             const ConvGeometry& geometry) {
  return at::conv2d(x, widened(weight, x), bias.defined() ? widened(bias, x) : bias, geometry.stride, geometry.padding,
                    geometry.dilation);
}

at::Tensor frozenLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  expectChannels(x.size(-1), weight.size(1));
  return needsGradient({x}) ? FrozenLinear::apply(x, weight, given(bias)) : linearForward(x, weight, bias);
}

at::Tensor frozenConv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const ConvGeometry& geometry) {
  expectChannels(x.size(1), weight.size(1));
  return needsGradient({x}) ? FrozenConv2d::apply(x, weight, given(bias), geometry)
                            : convForward(x, weight, bias, geometry);
}

}  // namespace dan::ops
