#include "core/pixel_values.h"

#include "core/error.h"

namespace dan {

PartFill parsePartFill(const std::string& name) {
  if (name == "grey") return PartFill::kGrey;
  if (name == "black") return PartFill::kBlack;
  fail(kInvalidOption, "Expected grey or black for partFill but received ", name);
}

at::Tensor anomalyPart(const at::Tensor& pixelValues, const at::Tensor& masks, PartFill fill) {
  const at::Tensor part = pixelValues * masks;
  return fill == PartFill::kGrey ? part : part - (1 - masks);
}

at::Tensor toBytes(const at::Tensor& pixelValues) {
  return pixelValues.to(at::kFloat)
      .add(1)
      .mul(127.5)
      .clamp(0, 255)
      .round()
      .to(at::kByte)
      .permute({0, 2, 3, 1})
      .contiguous();
}

}  // namespace dan
