// A threshold mask is as wide as the defect for every level of the background.
#include <cmath>
#include <limits>

#include "core/random.h"
#include "mask/part_masker.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kMaskSide = 24;
constexpr double kThreshold = 0.12;

at::Tensor blank(double level) { return at::full({kMaskSide, kMaskSide, 3}, static_cast<int64_t>(level), at::kByte); }

at::Tensor maskOf(const at::Tensor& part, double fill) { return mask::thresholdMask(part, fill, kThreshold) > 0; }

}  // namespace

DAN_TEST(threshold_masks_are_as_wide_as_the_defect) {
  for (const double fill : {0.0, 128.0}) {
    at::Tensor part = blank(fill), expected = at::zeros({kMaskSide, kMaskSide}, at::kBool);
    const auto draw = [&](int64_t top, int64_t left, int64_t height, int64_t width) {
      part.narrow(0, top, height).narrow(1, left, width).fill_(200);
      expected.narrow(0, top, height).narrow(1, left, width).fill_(true);
    };
    draw(2, 2, 6, 5);    // an area
    draw(0, 12, 20, 1);  // a crack to the picture's edge
    draw(23, 20, 1, 4);  // a crack along the edge
    EXPECT(at::equal(maskOf(part, fill), expected));
  }
}

DAN_TEST(threshold_masks_leave_out_specks_and_close_holes) {
  at::Tensor part = blank(128);
  // This single pixel is above the threshold by a third of the range.
  part[4][4].fill_(170);
  EXPECT(!maskOf(part, 128).any().item<bool>());
  part.narrow(0, 10, 6).narrow(1, 10, 6).fill_(230);
  part[12][12].fill_(128);
  EXPECT(maskOf(part, 128).sum().item<int64_t>() == 36);
}

DAN_TEST(threshold_masks_fill_holes_that_an_annotator_would_not_draw) {
  constexpr int64_t kWide = 64;
  constexpr int64_t kCorners = 4;  // Corners of ground in a defect may be rounded off.
  const auto box = [](at::Tensor x, int64_t first, int64_t side, int64_t value) {
    x.narrow(0, first, side).narrow(1, first, side).fill_(value);
  };
  const auto markedOf = [](const at::Tensor& part) {
    return (mask::thresholdMask(part, 128, kThreshold) > 0).sum().item<int64_t>();
  };
  at::Tensor solid = at::full({kWide, kWide, 3}, 128, at::kByte);
  box(solid, 10, 30, 230);
  box(solid, 20, 8, 128);  // 64 of 836 pixels
  EXPECT(markedOf(solid) == 30 * 30);
  box(solid, 20, 10, 128);  // 100 of 800 pixels
  EXPECT(markedOf(solid) <= 30 * 30 - 10 * 10 + kCorners);
  // A notch is no hole.
  at::Tensor open = at::full({kWide, kWide, 3}, 128, at::kByte);
  box(open, 10, 30, 230);
  open.narrow(0, 20, 4).narrow(1, 0, 20).fill_(128);
  EXPECT(markedOf(open) <= 30 * 30 - 4 * 10 + kCorners);
  // Nor is ground between the mask and the border of the picture.
  at::Tensor edge = at::full({kWide, kWide, 3}, 230, at::kByte);
  edge.narrow(0, 0, 4).narrow(1, 20, 8).fill_(128);
  EXPECT(markedOf(edge) <= kWide * kWide - 4 * 8 + kCorners);
}

DAN_TEST(a_part_of_one_colour_lacks_contrast_and_a_faint_defect_does_not) {
  constexpr int64_t kWide = 96;
  const auto plain = [&](int64_t level) { return at::full({kWide, kWide, 3}, level, at::kByte); };
  const auto plus = [](const at::Tensor& part, const at::Tensor& more) {
    return (part.to(at::kFloat) + more).round().clamp(0, 255).to(at::kByte);
  };
  for (const int64_t level : {0, 3, 127, 200, 255}) {
    EXPECT(mask::lacksContrast(plain(level)));
    // This holds even if the colour differs from the fill.
    EXPECT(!mask::distanceFromFill(plain(level), 128).any().item<bool>());
    at::Generator generator = makeGenerator(static_cast<uint64_t>(level));
    EXPECT(mask::lacksContrast(plus(plain(level), at::randint(-2, 3, {kWide, kWide, 3}, generator))));
    for (const double deviation : {0.5, 1.0, 2.0}) {
      const at::Tensor grey = deviation * randn({kWide, kWide, 1}, generator);
      EXPECT(mask::lacksContrast(plus(plain(level), grey)));
      EXPECT(mask::lacksContrast(plus(plain(level), deviation * randn({kWide, kWide, 3}, generator))));
    }
    const int64_t sign = level > 128 ? -1 : 1;
    for (const int64_t contrast : {6, 12, 40}) {
      at::Tensor area = plain(level), line = plain(level), dot = plain(level);
      area.narrow(0, 30, 8).narrow(1, 30, 8).fill_(level + sign * contrast);
      line.narrow(0, 50, 1).narrow(1, 10, 60).fill_(level + sign * contrast);
      // The dot is in one channel only.
      dot.narrow(0, 10, 2).narrow(1, 10, 2).select(2, 0).fill_(level + sign * contrast);
      EXPECT(!mask::lacksContrast(area) && !mask::lacksContrast(line) && !mask::lacksContrast(dot));
    }
    const at::Tensor grain = randn({kWide, kWide, 1}, generator);
    at::Tensor seen = plus(plain(level), grain);
    seen.narrow(0, 30, 12).narrow(1, 30, 12).fill_(level + sign * 10);
    EXPECT(!mask::lacksContrast(seen));
  }
  for (const int64_t side : {1, 2, 5}) EXPECT(mask::lacksContrast(plain(90).narrow(0, 0, side).narrow(1, 0, side)));
}

DAN_TEST(u2net_weights_that_are_no_convolution_or_are_quantized_name_file_and_tensor) {
  const Scratch scratch;
  const std::string path = scratch.at("u2net.safetensors"), name = "stage1.rebnconv1.conv_s1.weight";
  const nn::Weights weights = nn::Weights::random(makeGenerator(1));
  const model::U2net network(weights, model::U2netConfig::uniform(2, 2));
  for (const at::Tensor& wrong : {at::ones({}), weights.taken().at(name).to(at::kChar)}) {
    TensorMap tensors = weights.taken();
    tensors[name] = wrong;
    io::writeSafetensors(path, tensors);
    expectError([&] { mask::U2netMasker(path, at::kCPU); }, name);
    expectError([&] { mask::U2netMasker(path, at::kCPU); }, path);
  }
}

DAN_TEST(u2net_says_nothing_where_it_finds_nothing_and_names_weights_that_are_not_finite) {
  const Scratch scratch;
  const std::string path = scratch.at("u2net.safetensors");
  const nn::Weights weights = nn::Weights::random(makeGenerator(1));
  const model::U2net network(weights, model::U2netConfig::uniform(2, 2));
  TensorMap tensors = weights.taken();
  at::Tensor part = blank(127);
  part.narrow(0, 6, 8).narrow(1, 6, 8).fill_(20);
  const auto saliency = [&](double bias, const at::Tensor& of) {
    tensors["outconv.bias"].fill_(bias);
    io::writeSafetensors(path, tensors, {{"input_size", "32"}});
    return mask::U2netMasker(path, at::kCPU).saliency(of);
  };
  EXPECT(saliency(0, part).max().item<double>() > 0.5);
  EXPECT(!saliency(0, blank(127)).any().item<bool>());
  EXPECT(saliency(0, blank(127)).sizes() == at::IntArrayRef({kMaskSide, kMaskSide}));
  // The network's probability is zero everywhere.
  EXPECT(!saliency(-1e4, part).any().item<bool>());
  expectError([&] { saliency(std::numeric_limits<double>::quiet_NaN(), part); }, path + " gives numbers that are not");
}

}  // namespace dan::tests
