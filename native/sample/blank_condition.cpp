#include "sample/blank_condition.h"

#include <ATen/core/grad_mode.h>

#include "dual/branch.h"

namespace dan::sample {

at::Tensor plainLatents(const model::BaseModel& base, double colour, int64_t height, int64_t width) {
  const at::NoGradGuard noGrad;
  const at::Tensor image = at::full({1, 3, height, width}, colour, at::TensorOptions().device(base.device()));
  return base.vae->encode(image).mean * base.vae->config().scalingFactor;
}

double colourOf(PartFill fill) { return fill == PartFill::kGrey ? 0 : -1; }

namespace {

model::InpaintCondition everywhere(const at::Tensor& masked) {
  return {at::ones({masked.size(0), 1, masked.size(2), masked.size(3)}, masked.options()), masked};
}

}  // namespace

model::InpaintCondition blankCondition(const model::BaseModel& base, int64_t height, int64_t width, int64_t images) {
  if (!base.isInpainting()) return {};
  return everywhere(plainLatents(base, 0, height, width).repeat({images, 1, 1, 1}));
}

model::InpaintCondition blankPairCondition(const model::BaseModel& base, PartFill fill, int64_t height, int64_t width,
                                           int64_t pairs) {
  if (!base.isInpainting()) return {};
  const at::Tensor image = plainLatents(base, 0, height, width);
  const at::Tensor part = fill == PartFill::kGrey ? image : plainLatents(base, colourOf(fill), height, width);
  return everywhere(dual::packBranches(image, part).repeat({pairs, 1, 1, 1}));
}

}  // namespace dan::sample
