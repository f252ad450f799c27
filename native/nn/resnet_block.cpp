#include "nn/resnet_block.h"

namespace dan::nn {

ResnetBlock::ResnetBlock(const Weights& weights, int64_t in, int64_t out, int64_t timeWidth, int64_t groups, double eps)
    : norm1_(weights.scope("norm1"), in, groups, eps),
      norm2_(weights.scope("norm2"), out, groups, eps),
      conv1_(weights.scope("conv1"), in, out, 3, 1, 1),
      conv2_(weights.scope("conv2"), out, out, 3, 1, 1) {
  if (timeWidth > 0) timeProjection_.emplace(weights.scope("time_emb_proj"), timeWidth, out);
  if (in != out) shortcut_.emplace(weights.scope("conv_shortcut"), in, out, 1);
}

at::Tensor ResnetBlock::operator()(const at::Tensor& x, const at::Tensor& temb) const {
  at::Tensor h = conv1_(norm1_.thenSilu(x));
  if (timeProjection_) h = addedTo(h, (*timeProjection_)(temb).unsqueeze(-1).unsqueeze(-1));
  h = conv2_(norm2_.thenSilu(h));
  return addedTo(h, shortcut_ ? (*shortcut_)(x) : x);
}

at::Tensor Upsample::operator()(const at::Tensor& x, int64_t height, int64_t width) const {
  return conv(at::upsample_nearest2d(x, {height, width}));
}

}  // namespace dan::nn
