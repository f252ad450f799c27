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

double blankValue(PartFill fill) { return fill == PartFill::kGrey ? 0 : -1; }

at::Tensor toBytes(const at::Tensor& pixelValues) {
  return pixelValues.to(at::kFloat)
      .add(1)
      .mul(kLevelsPerUnit)
      .clamp(0, 255)
      .round()
      .to(at::kByte)
      .permute({0, 2, 3, 1})
      .contiguous();
}

at::Tensor toPixelValues(const at::Tensor& bytes) {
  return bytes.permute({0, 3, 1, 2}).to(at::kFloat) / kLevelsPerUnit - 1;
}

}  // namespace dan
