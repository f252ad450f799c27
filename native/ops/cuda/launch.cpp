#include "ops/cuda/launch.h"

#include <initializer_list>

#include "ops/cuda/kernels.h"

namespace dan::ops::cuda {

namespace {

// Returns the dtype that all tensors of an operation must share. They must share their device too.
Element elementOf(const char* op, std::initializer_list<at::Tensor> tensors) {
  const at::Tensor& first = *tensors.begin();
  for (const at::Tensor& tensor : tensors) {
    TORCH_CHECK(tensor.scalar_type() == first.scalar_type() && tensor.device() == first.device(), op, ": expected ",
                first.scalar_type(), " on ", first.device(), " but received ", tensor.scalar_type(), " on ",
                tensor.device());
  }
  switch (first.scalar_type()) {
    case at::kFloat:
      return Element::kFloat;
    case at::kHalf:
      return Element::kHalf;
    case at::kBFloat16:
      return Element::kBFloat16;
    default:
      TORCH_CHECK(false, op, ": expected float32, float16 or bfloat16 but received ", first.scalar_type());
  }
}

void expectShape(const char* op, const char* name, const at::Tensor& tensor, at::IntArrayRef shape) {
  TORCH_CHECK(tensor.sizes() == shape, op, ": expected ", name, " of shape ", shape, " but received ", tensor.sizes());
}

}  // namespace

at::Tensor geglu(const at::Tensor& x, cudaStream_t stream) {
  const Element element = elementOf("geglu", {x});
  TORCH_CHECK(x.dim() > 0 && x.size(-1) % 2 == 0, "geglu: expected an even last axis but received ", x.sizes());
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() /= 2;
  const at::Tensor dense = x.contiguous(), out = at::empty(shape, x.options());
  if (out.numel() == 0) return out;  // a launch of no blocks is an error
  launchGeglu({element, dense.const_data_ptr(), out.mutable_data_ptr(), out.numel() / shape.back(), shape.back()},
              stream);
  return out;
}

at::Tensor groupNormSilu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                         double eps, cudaStream_t stream) {
  const Element element = elementOf("group_norm_silu", {x, weight, bias});
  TORCH_CHECK(x.dim() == 4 && groups > 0 && x.size(1) % groups == 0, "group_norm_silu: expected (N, C, h, w) with C a ",
              "multiple of ", groups, " but received ", x.sizes());
  expectShape("group_norm_silu", "weight", weight, {x.size(1)});
  expectShape("group_norm_silu", "bias", bias, {x.size(1)});
  const at::Tensor dense = x.contiguous(at::MemoryFormat::ChannelsLast), gain = weight.contiguous(),
                   offset = bias.contiguous();
  const at::Tensor out = at::empty_like(dense);
  if (out.numel() == 0) return out;
  const at::Tensor statistics = at::empty({x.size(0), groups, 2}, x.options().dtype(at::kFloat));
  launchGroupNormSilu({element, dense.const_data_ptr(), gain.const_data_ptr(), offset.const_data_ptr(),
                       statistics.mutable_data_ptr<float>(), out.mutable_data_ptr(), x.size(0), x.size(2) * x.size(3),
                       x.size(1), groups, static_cast<float>(eps)},
                      stream);
  return out;
}

std::tuple<at::Tensor, at::Tensor> pairNorm(const at::Tensor& attended, const at::Tensor& weight,
                                            const at::Tensor& bias, double eps, cudaStream_t stream) {
  const Element element = elementOf("pair_norm", {attended, weight, bias});
  TORCH_CHECK(attended.dim() == 3 && attended.size(0) == 2, "pair_norm: expected (2, T, C) but received ",
              attended.sizes());
  const int64_t tokens = attended.size(1), width = attended.size(2);
  expectShape("pair_norm", "weight", weight, {width});
  expectShape("pair_norm", "bias", bias, {width});
  const at::Tensor dense = attended.contiguous(), gain = weight.contiguous(), offset = bias.contiguous();
  const at::Tensor anomaly = at::empty({tokens, width}, attended.options()), difference = at::empty_like(anomaly);
  if (anomaly.numel() == 0) return {anomaly, difference};
  launchPairNorm({element, dense.const_data_ptr(), gain.const_data_ptr(), offset.const_data_ptr(),
                  anomaly.mutable_data_ptr(), difference.mutable_data_ptr(), tokens, width, static_cast<float>(eps)},
                 stream);
  return {anomaly, difference};
}

void pairMix(at::Tensor& attended, const PairProducts& pair, cudaStream_t stream) {
  const Element element =
      elementOf("pair_mix_", {attended, pair.anomaly, pair.difference, pair.products, pair.base, pair.scoreBias});
  TORCH_CHECK(attended.dim() == 3 && attended.size(0) == 2 && attended.is_contiguous(),
              "pair_mix_: expected a contiguous (2, T, C) but received ", attended.sizes());
  const int64_t tokens = attended.size(1), width = attended.size(2);
  expectShape("pair_mix_", "anomaly", pair.anomaly, {tokens, width});
  expectShape("pair_mix_", "difference", pair.difference, {tokens, width});
  expectShape("pair_mix_", "products", pair.products, {tokens, 2 * width});
  expectShape("pair_mix_", "base", pair.base, {tokens, width});
  expectShape("pair_mix_", "score_bias", pair.scoreBias, {width});
  if (attended.numel() == 0) return;
  const at::Tensor anomaly = pair.anomaly.contiguous(), difference = pair.difference.contiguous(),
                   products = pair.products.contiguous(), base = pair.base.contiguous(),
                   scoreBias = pair.scoreBias.contiguous();
  launchPairMix({element, attended.mutable_data_ptr(), anomaly.const_data_ptr(), difference.const_data_ptr(),
                 products.const_data_ptr(), base.const_data_ptr(), scoreBias.const_data_ptr(), tokens, width},
                stream);
}

}  // namespace dan::ops::cuda
