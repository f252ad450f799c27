#include "ops/batch_norm_relu.h"

#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

#include "ops/cpu/ceil_div.h"
#include "ops/op.h"

namespace dan::ops {

namespace {

// A part of the rows that stays in the cache next to the core. Sums of a part are in float32, and sums of parts in
// float64.
constexpr int64_t kFloatsOfPart = 4096, kPartsOfTask = 4;

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

// The memory of a tensor, (N, C, h, w) channels-last, as rows of whole vectors: each has the channels of `pixels`
// pixels.
struct Rows {
  int64_t channels = 0, pixels = 0, count = 0;

  explicit Rows(const at::Tensor& x) : channels(x.size(1)) {
    const int64_t lanes = cpu::kernels()->batchNormRelu->lanes, all = channels > 0 ? x.numel() / channels : 0;
    if (channels > 0 && channels % lanes == 0) pixels = 1;
    if (channels > 0 && lanes % channels == 0 && all % (lanes / channels) == 0) pixels = lanes / channels;
    if (pixels > 0) count = all / pixels;
  }

  bool areWhole() const { return count > 0; }
  int64_t width() const { return channels * pixels; }
  int64_t ofPart() const { return std::max<int64_t>(1, kFloatsOfPart / width()); }
  int64_t parts() const { return cpu::ceilDiv(count, ofPart()); }
  int64_t inPart(int64_t part) const { return std::min(ofPart(), count - part * ofPart()); }
  double values() const { return static_cast<double>(count * pixels); }

  // Calls use(part, rows, offset), whose rows begin `offset` floats after the first.
  template <class Use>
  void eachPart(const Use& use) const {
    at::parallel_for(0, parts(), kPartsOfTask, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) use(part, inPart(part), part * ofPart() * width());
    });
  }

  // Returns value(channel) for each column.
  template <class Value>
  Floats columns(const Value& value) const {
    Floats result(static_cast<size_t>(width()));
    for (int64_t k = 0; k < width(); ++k) result[k] = static_cast<float>(value(k % channels));
    return result;
  }

  // Adds value(part, i) to the sum of the channel of column i % width, for each value i of the parts.
  template <class Value>
  Doubles sums(const Value& value) const {
    Doubles result(static_cast<size_t>(channels));
    for (int64_t i = 0; i < parts() * width(); ++i) result[i % channels] += value(i / width(), i);
    return result;
  }

  size_t valuesOfParts() const { return static_cast<size_t>(parts() * width()); }
};

struct Moments {
  Doubles mean, variance;
};

Moments momentsOf(const float* x, const Rows& rows) {
  Floats means(rows.valuesOfParts()), squares(rows.valuesOfParts());
  rows.eachPart([&](int64_t part, int64_t count, int64_t offset) {
    const int64_t at = part * rows.width();
    cpu::kernels()->batchNormRelu->columnMoments(x + offset, count, rows.width(), means.data() + at,
                                                 squares.data() + at);
  });
  Moments moments;
  moments.mean = rows.sums(
      [&](int64_t part, int64_t i) { return static_cast<double>(means[i]) * static_cast<double>(rows.inPart(part)); });
  for (double& mean : moments.mean) mean /= rows.values();
  moments.variance = rows.sums([&](int64_t part, int64_t i) {
    const double apart = means[i] - moments.mean[i % rows.channels];
    return squares[i] + apart * apart * static_cast<double>(rows.inPart(part));
  });
  for (double& variance : moments.variance) variance /= rows.values();
  return moments;
}

at::Tensor toTensor(const Doubles& values) {
  return at::from_blob(const_cast<double*>(values.data()), {static_cast<int64_t>(values.size())}, at::kDouble).clone();
}

void follow(const at::Tensor& running, const Doubles& values, double momentum, double factor) {
  const at::NoGradGuard noGrad;
  at::Tensor(running).mul_(1 - momentum).add_(toTensor(values).mul_(momentum * factor).to(running.dtype()));
}

const float* read(const at::Tensor& x) { return x.const_data_ptr<float>(); }

class BatchNormRelu : public torch::autograd::Function<BatchNormRelu> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& runningMean, const at::Tensor& runningVar,
                            double momentum, double eps) {
    RECORD_FUNCTION("dualanodiff::batch_norm_relu", {});
    const Rows rows(x);
    const Moments moments = momentsOf(read(x), rows);
    follow(runningMean, moments.mean, momentum, 1);
    follow(runningVar, moments.variance, momentum, rows.values() / (rows.values() - 1));

    const at::Tensor gains = weight.contiguous(), shifts = bias.contiguous();
    const float *gain = read(gains), *shift = read(shifts);
    Doubles inverse = moments.variance;  // 1 / standard deviation
    for (double& value : inverse) value = 1 / std::sqrt(value + eps);
    const Floats scale = rows.columns([&](int64_t c) { return gain[c] * inverse[c]; });
    const Floats offset = rows.columns([&](int64_t c) { return shift[c] - moments.mean[c] * gain[c] * inverse[c]; });
    at::Tensor result = at::empty_like(x);
    auto* const written = result.mutable_data_ptr<float>();
    rows.eachPart([&](int64_t, int64_t count, int64_t from) {
      cpu::kernels()->batchNormRelu->scaleAndCut(read(x) + from, count, rows.width(), scale.data(), offset.data(),
                                                 written + from);
    });
    context->save_for_backward({x, result, gains, toTensor(moments.mean), toTensor(inverse)});
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    RECORD_FUNCTION("dualanodiff::batch_norm_relu_backward", {});
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const float* gain = read(saved[2]);
    const double *mean = saved[3].const_data_ptr<double>(), *inverse = saved[4].const_data_ptr<double>();
    const Rows rows(x);
    const Floats means = rows.columns([&](int64_t c) { return mean[c]; });
    const auto taskAt = [&](int64_t from) {
      return cpu::NormGradient{read(gradient) + from, read(saved[1]) + from, read(x) + from, means.data(),
                               rows.width()};
    };
    Floats partSums(rows.valuesOfParts()), partProducts(rows.valuesOfParts());
    rows.eachPart([&](int64_t part, int64_t count, int64_t from) {
      const int64_t at = part * rows.width();
      cpu::kernels()->batchNormRelu->gradientSums(taskAt(from), count, partSums.data() + at, partProducts.data() + at);
    });
    const Doubles sums = rows.sums([&](int64_t, int64_t i) { return partSums[i]; });
    Doubles products = rows.sums([&](int64_t, int64_t i) { return partProducts[i]; });
    for (int64_t c = 0; c < rows.channels; ++c) products[c] *= inverse[c];

    const Floats ofGradient = rows.columns([&](int64_t c) { return gain[c] * inverse[c]; });
    const Floats ofDistance =
        rows.columns([&](int64_t c) { return -gain[c] * inverse[c] * inverse[c] * products[c] / rows.values(); });
    const Floats offset = rows.columns([&](int64_t c) { return -gain[c] * inverse[c] * sums[c] / rows.values(); });
    at::Tensor result = at::empty_like(x);
    auto* const written = result.mutable_data_ptr<float>();
    rows.eachPart([&](int64_t, int64_t count, int64_t from) {
      cpu::kernels()->batchNormRelu->gradientOfInput(
          taskAt(from), count, {ofGradient.data(), ofDistance.data(), offset.data()}, written + from);
    });
    const auto ofParameter = [](const Doubles& values) { return toTensor(values).to(at::kFloat); };
    return {result, ofParameter(products), ofParameter(sums), {}, {}, {}, {}};
  }
};

bool isFused(const at::Tensor& x, const BatchNormTensors& norm, bool training) {
  if (!training || !needsGradient({norm.weight, norm.bias}) || cpu::kernels() == nullptr) return false;
  for (const at::Tensor& tensor : {x, norm.weight, norm.bias, norm.runningMean, norm.runningVar}) {
    if (!tensor.device().is_cpu() || tensor.scalar_type() != at::kFloat) return false;
  }
  if (x.dim() != 4 || !x.is_contiguous(at::MemoryFormat::ChannelsLast)) return false;
  const Rows rows(x);
  return rows.areWhole() && rows.values() > 1;
}

}  // namespace

at::Tensor batchNormReluPlain(const at::Tensor& x, const BatchNormTensors& norm, bool training, double momentum,
                              double eps) {
  at::Tensor normed = at::batch_norm(x, norm.weight, norm.bias, norm.runningMean, norm.runningVar, training, momentum,
                                     eps, /*cudnn_enabled=*/false);
  // In place, since nothing else reads the norm's output, not even its gradient.
  return at::relu_(normed);
}

at::Tensor batchNormRelu(const at::Tensor& x, const BatchNormTensors& norm, bool training, double momentum,
                         double eps) {
  if (!isFused(x, norm, training)) return batchNormReluPlain(x, norm, training, momentum, eps);
  return BatchNormRelu::apply(x, norm.weight, norm.bias, norm.runningMean, norm.runningVar, momentum, eps);
}

}  // namespace dan::ops
