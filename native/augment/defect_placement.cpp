#include "augment/defect_placement.h"

#include <algorithm>
#include <cmath>

#include "augment/blending.h"

namespace dan::augment {

namespace {

constexpr int kMaxAttempts = 20;           // attempts to place a defect so that enough of it is inside
constexpr double kMinShareInside = 0.3;    // of the area of a moved defect
constexpr double kMinShareJittered = 0.8;  // of the area of a defect in its own picture
// Earlier versions bent the picture by so many random numbers. They are skipped so that a seed keeps its pictures.
constexpr int64_t kSkippedNumbers = 2 * 8 * 8;

// A picture moves by pixels, and turns by radians about the middle of its defect: by `turn` before it is scaled, and by
// `angle` afterwards.
struct Motion {
  double down = 0, right = 0, turn = 0, scaleY = 1, scaleX = 1, angle = 0;
};

Motion randomMove(int64_t side, Rng& rng) {
  const double reach = static_cast<double>(side) * 0.12;
  Motion motion;
  motion.down = std::round(rng.uniform(-reach, reach));
  motion.right = std::round(rng.uniform(-reach, reach));
  motion.scaleY = rng.uniform(0.7, 1.4);
  motion.scaleX = motion.scaleY * rng.uniform(0.8, 1.25);
  motion.angle = rng.uniform(-0.05, 0.05);  // A larger angle would show in the direction of the grain.
  return motion;
}

Motion randomJitter(int64_t side, Rng& rng) {
  const double reach = static_cast<double>(side) * 0.06;
  Motion motion;
  motion.down = rng.uniform(-reach, reach);
  motion.right = rng.uniform(-reach, reach);
  motion.scaleY = rng.uniform(1, 1.2);
  motion.scaleX = motion.scaleY * rng.uniform(0.9, 1.1);
  motion.angle = rng.uniform(-0.05, 0.05);
  return motion;
}

// Returns row and column.
std::pair<double, double> middleOf(const at::Tensor& mask) {
  const at::Tensor middle = mask.nonzero().to(at::kFloat).mean(0);
  return {middle[0].item<double>(), middle[1].item<double>()};
}

// Changes the motion so that the defect still reaches the edges that it reached before.
Motion keepTouchedEdges(Motion motion, const at::Tensor& mask) {
  const auto [middleY, middleX] = middleOf(mask);
  const auto keep = [&](int64_t dim, double middle, double& shift, double& scale) {
    const int64_t side = mask.size(dim), margin = pixelsOf(1 / 64., side);
    const bool low = mask.narrow(dim, 0, margin).any().item<bool>();
    const bool high = mask.narrow(dim, side - margin, margin).any().item<bool>();
    if (low && high) scale = std::max(scale, 1.0);
    if (low) shift = std::min(shift, middle * (scale - 1));
    if (high) shift = std::max(shift, (static_cast<double>(side) - middle) * (1 - scale));
  };
  keep(0, middleY, motion.down, motion.scaleY);
  keep(1, middleX, motion.right, motion.scaleX);
  return motion;
}

// Returns the source of each pixel of the moved picture for grid_sampler, (1, H, W, 2).
at::Tensor sourceGrid(const Motion& motion, const at::Tensor& mask) {
  const int64_t height = mask.size(0), width = mask.size(1);
  const auto [middleY, middleX] = middleOf(mask);
  const at::Tensor y = at::arange(height, at::kFloat).view({-1, 1}).expand({height, width}) - (middleY + motion.down);
  const at::Tensor x = at::arange(width, at::kFloat).view({1, -1}).expand({height, width}) - (middleX + motion.right);
  const double cosine = std::cos(motion.angle), sine = std::sin(motion.angle);
  const at::Tensor scaledY = (cosine * y - sine * x) / motion.scaleY;
  const at::Tensor scaledX = (sine * y + cosine * x) / motion.scaleX;
  const double turnCosine = std::cos(motion.turn), turnSine = std::sin(motion.turn);
  const at::Tensor fromY = turnCosine * scaledY - turnSine * scaledX + middleY;
  const at::Tensor fromX = turnSine * scaledY + turnCosine * scaledX + middleX;
  const auto normalized = [](const at::Tensor& at, int64_t side) {
    return (2 * at + 1) / static_cast<double>(side) - 1;
  };
  return at::stack({normalized(fromX, width), normalized(fromY, height)}, -1).unsqueeze(0);
}

// These are grid_sampler's values for places between pixels and beyond the edges.
enum class Interpolation : int64_t { kBilinear = 0, kBicubic = 2 };
enum class Padding : int64_t { kNothing = 0, kEdge = 1, kMirror = 2 };

at::Tensor gridSampled(const at::Tensor& picture, const at::Tensor& grid, Interpolation interpolation,
                       Padding padding) {
  return at::grid_sampler(picture.unsqueeze(0), grid, static_cast<int64_t>(interpolation),
                          static_cast<int64_t>(padding),
                          /*align_corners=*/false)[0];
}

// We resample bicubically, because a detector would recognise a blurred picture by its blur.
at::Tensor resampled(const at::Tensor& picture, const at::Tensor& grid, Padding padding) {
  return gridSampled(picture, grid, Interpolation::kBicubic, padding).clamp(0, 1);
}

at::Tensor resampledMask(const at::Tensor& mask, const at::Tensor& grid, Padding padding) {
  return gridSampled(mask.to(at::kFloat).unsqueeze(0), grid, Interpolation::kBilinear, padding)[0] > 0.5;
}

// These say what lies beyond the edges of a picture and of its mask.
struct Beyond {
  Padding image, mask;
};

// Tries motions until enough of the defect is inside. Returns the picture unchanged if no attempt succeeds. Each
// attempt calls `nextMotion` and `minArea`, which returns a share of the picture, once.
template <class NextMotion, class MinArea>
MarkedPicture placeInside(const MarkedPicture& real, Beyond beyond, Rng& rng, NextMotion nextMotion, MinArea minArea) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const Motion motion = nextMotion();
    rng.skip({kSkippedNumbers});
    const at::Tensor grid = sourceGrid(motion, real.mask), mask = resampledMask(real.mask, grid, beyond.mask);
    if (areaOf(mask) >= minArea(motion)) return {resampled(real.image, grid, beyond.image), mask};
  }
  return real;
}

}  // namespace

MarkedPicture withJitter(const MarkedPicture& real, Rng& rng) {
  const double area = areaOf(real.mask);
  // Mirrored ground looks real, and the mirrored mask marks a mirrored defect.
  return placeInside(
      real, {Padding::kMirror, Padding::kMirror}, rng, [&] { return randomJitter(real.mask.size(0), rng); },
      [&](const Motion&) { return kMinShareJittered * area; });
}

MarkedPicture moved(const MarkedPicture& real, Rng& rng) {
  const double area = areaOf(real.mask);
  return placeInside(
      real, {Padding::kEdge, Padding::kEdge}, rng,
      [&] { return keepTouchedEdges(randomMove(real.mask.size(0), rng), real.mask); },
      [&](const Motion& motion) { return kMinShareInside * area * motion.scaleX * motion.scaleY; });
}

MarkedPicture turned(const MarkedPicture& real, double angle, Rng& rng) {
  const double area = areaOf(real.mask);
  // A defect that reaches an edge ends there: an edge that is repeated in another direction would change its shape.
  return placeInside(
      real, {Padding::kEdge, Padding::kNothing}, rng,
      [&] {
        Motion motion = randomMove(real.mask.size(0), rng);
        motion.turn = angle;
        return motion;
      },
      [&](const Motion& motion) { return kMinShareInside * area * motion.scaleX * motion.scaleY; });
}

}  // namespace dan::augment
