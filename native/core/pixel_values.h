// Images as models see them, in [-1, 1], and as bytes.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace dan {

// The blank ground of the part, which shows the defect alone: the middle of the range, or its lower end.
enum class PartFill { kGrey, kBlack };
// "grey" or "black"; throws ERR_INVALID_OPTION.
PartFill parsePartFill(const std::string& name);

// The part of an image, I_a = I x M_a, with the rest blank. pixelValues: (N, 3, H, W) in [-1, 1]; masks: (N, 1, H, W)
// of 0 and 1. Published code multiplies images in [-1, 1], which blanks to mid-grey; black is -1.
at::Tensor anomalyPart(const at::Tensor& pixelValues, const at::Tensor& masks, PartFill fill);

constexpr double kLevelsPerUnit = 127.5;  // the 8-bit levels in one unit of [-1, 1]

// Returns the blank ground's value in [-1, 1].
double blankValue(PartFill fill);

// (N, 3, H, W) in [-1, 1] to (N, H, W, 3) uint8, rounded to the nearest level, on the device where they are.
at::Tensor toBytes(const at::Tensor& pixelValues);

// Converts (N, H, W, 3) uint8 to (N, 3, H, W) float32 in [-1, 1].
at::Tensor toPixelValues(const at::Tensor& bytes);

}  // namespace dan
