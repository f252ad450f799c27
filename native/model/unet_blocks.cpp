#include "model/unet_blocks.h"

#include <string>

#include "ops/trained_conv.h"

namespace dan::model {

ConvNormRelu::ConvNormRelu(const nn::Weights& block, int64_t index, int64_t in, int64_t out)
    : conv_(block.scope(std::to_string(index)), in, out, 3, 1, 1), norm_(block.scope(std::to_string(index + 1)), out) {}

at::Tensor ConvNormRelu::operator()(const at::Tensor& x, bool training) const {
  const at::Tensor y = ops::trainedConv2d(x, conv_.weight, conv_.bias, {conv_.stride, conv_.padding, conv_.dilation});
  return norm_.thenRelu(y, training);
}

DoubleConv::DoubleConv(const nn::Weights& block, int64_t in, int64_t middle, int64_t out)
    : first_(block, 0, in, middle), second_(block, 3, middle, out) {}

at::Tensor DoubleConv::operator()(const at::Tensor& x, bool training) const {
  return second_(first_(x, training), training);
}

UpConv::UpConv(const nn::Weights& block, int64_t in, int64_t out) : conv_(block, 1, in, out) {}

at::Tensor UpConv::operator()(const at::Tensor& x, bool training) const {
  return conv_(at::upsample_bilinear2d(x, {2 * x.size(2), 2 * x.size(3)}, /*align_corners=*/true), training);
}

}  // namespace dan::model
