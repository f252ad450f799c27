#include "augment/picture_bytes.h"

#include <algorithm>
#include <vector>

namespace dan::augment {

namespace {

// Returns the nearest integer, and the even one of two. Above this number, floats are integers. std::nearbyint would be
// a call of a function for each value.
float rounded(float x) {
  constexpr float kFirstOfIntegers = 1.5F * (1 << 23);
  return (x + kFirstOfIntegers) - kFirstOfIntegers;
}

// Converts values in 0 .. 1 as toBytes(2 x - 1) does.
void toLevels(const float* x, int64_t count, uint8_t* levels) {
  constexpr auto kScale = static_cast<float>(kLevelsPerUnit);
  for (int64_t i = 0; i < count; ++i) {
    const float level = ((2 * x[i] - 1) + 1) * kScale;
    levels[i] = static_cast<uint8_t>(rounded(std::min(std::max(level, 0.F), 255.F)));
  }
}

}  // namespace

Flips randomFlips(Rng& rng) {
  const bool across = rng.coin(), down = rng.coin();
  return {across, down};
}

at::Tensor flipped(const at::Tensor& mask, Flips flips) {
  if (!flips.across && !flips.down) return mask;
  return flips.across && flips.down ? mask.flip({0, 1}) : mask.flip({flips.across ? 1 : 0});
}

at::Tensor toPicture(const at::Tensor& image, Flips flips) {
  static const at::Tensor kValues = at::arange(256, at::kByte).to(at::kFloat) / 255;
  const auto* values = kValues.const_data_ptr<float>();
  const int64_t height = image.size(0), width = image.size(1), plane = height * width;
  const at::Tensor source = image.stride(2) == 1 && image.stride(1) == 3 ? image : image.contiguous();
  at::Tensor picture = at::empty({3, height, width}, at::kFloat);
  auto* to = picture.mutable_data_ptr<float>();
  for (int64_t y = 0; y < height; ++y, to += width) {
    const auto* from = source.const_data_ptr<uint8_t>() + (flips.down ? height - 1 - y : y) * source.stride(0);
    const int64_t step = flips.across ? -3 : 3;
    if (flips.across) from += 3 * (width - 1);
    for (int64_t x = 0; x < width; ++x, from += step) {
      to[x] = values[from[0]];
      to[plane + x] = values[from[1]];
      to[2 * plane + x] = values[from[2]];
    }
  }
  return picture;
}

at::Tensor toPicturePlain(const at::Tensor& image, Flips flips) {
  at::Tensor picture = image.permute({2, 0, 1}).to(at::kFloat).contiguous() / 255;
  if (flips.across) picture = picture.flip({2});
  return flips.down ? picture.flip({1}) : picture;
}

PairBytes toPairBytes(const at::Tensor& picture, const at::Tensor& mask, PartFill fill) {
  const int64_t height = mask.size(0), width = mask.size(1), plane = height * width;
  const at::Tensor source = picture.contiguous(), marks = mask.contiguous();
  const float blank = static_cast<float>(blankValue(fill) + 1) * static_cast<float>(kLevelsPerUnit);
  PairBytes bytes{at::empty({height, width, 3}, at::kByte),
                  at::full({height, width, 3}, static_cast<int64_t>(rounded(blank)), at::kByte),
                  at::empty({height, width}, at::kByte)};
  const auto* from = source.const_data_ptr<float>();
  const auto* marked = marks.const_data_ptr<bool>();
  auto *image = bytes.image.mutable_data_ptr<uint8_t>(), *part = bytes.part.mutable_data_ptr<uint8_t>();
  auto* masked = bytes.mask.mutable_data_ptr<uint8_t>();
  std::vector<uint8_t> levels(static_cast<size_t>(3 * width));
  const uint8_t *red = levels.data(), *green = red + width, *blue = green + width;
  for (int64_t row = 0; row < plane; row += width) {
    for (int64_t channel = 0; channel < 3; ++channel) {
      toLevels(from + channel * plane + row, width, levels.data() + channel * width);
    }
    for (int64_t x = 0; x < width; ++x) {
      uint8_t* pixel = image + 3 * (row + x);
      pixel[0] = red[x];
      pixel[1] = green[x];
      pixel[2] = blue[x];
      masked[row + x] = marked[row + x] ? 255 : 0;
    }
    for (int64_t x = 0; x < width; ++x) {
      if (marked[row + x]) std::copy_n(image + 3 * (row + x), 3, part + 3 * (row + x));
    }
  }
  return bytes;
}

PairBytes toPairBytesPlain(const at::Tensor& picture, const at::Tensor& mask, PartFill fill) {
  const at::Tensor image = (2 * picture - 1).unsqueeze(0);
  const at::Tensor part = anomalyPart(image, mask.to(at::kFloat).unsqueeze(0).unsqueeze(0), fill);
  return {toBytes(image)[0], toBytes(part)[0], mask.to(at::kByte).mul(255).contiguous()};
}

}  // namespace dan::augment
