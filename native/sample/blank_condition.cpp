#include "sample/blank_condition.h"

#include "dual/branch.h"

namespace dan::sample {

namespace {

model::InpaintCondition everywhere(const at::Tensor& masked) {
  return {at::ones({masked.size(0), 1, masked.size(2), masked.size(3)}, masked.options()), masked};
}

}  // namespace

model::InpaintCondition blankCondition(const model::BaseModel& base, int64_t height, int64_t width, int64_t images) {
  if (!base.isInpainting()) return {};
  return everywhere(base.plainLatents(0, height, width).repeat({images, 1, 1, 1}));
}

model::InpaintCondition blankPairCondition(const model::BaseModel& base, PartFill fill, int64_t height, int64_t width,
                                           int64_t pairs) {
  if (!base.isInpainting()) return {};
  const at::Tensor image = base.plainLatents(0, height, width);
  const at::Tensor part = fill == PartFill::kGrey ? image : base.plainLatents(blankValue(fill), height, width);
  return everywhere(dual::packBranches(image, part).repeat({pairs, 1, 1, 1}));
}

}  // namespace dan::sample
