#include "augment/perlin.h"

#include <cmath>

namespace dan::augment {

namespace {

// The grid extends by so many cells beyond the picture, so that a turned picture lies within it.
constexpr int64_t kMargin = 2;

at::Tensor fade(const at::Tensor& t) { return t * t * t * (t * (t * 6 - 15) + 10); }

}  // namespace

at::Tensor perlinNoise(int64_t height, int64_t width, int64_t rows, int64_t columns, double angle, Rng& rng) {
  // A turned square reaches 0.71 of its side from its middle, so twice the cells hold it.
  const int64_t gridRows = 2 * rows + 2 * kMargin, gridColumns = 2 * columns + 2 * kMargin;
  const at::Tensor direction = rng.uniform({gridRows, gridColumns}) * (2 * M_PI);
  const at::Tensor gradients = at::stack({at::sin(direction), at::cos(direction)}, -1).flatten(0, 1);
  const at::Tensor v = ((at::arange(height, at::kFloat) + 0.5) / static_cast<double>(height) - 0.5).unsqueeze(1);
  const at::Tensor u = ((at::arange(width, at::kFloat) + 0.5) / static_cast<double>(width) - 0.5).unsqueeze(0);
  const double sine = std::sin(angle), cosine = std::cos(angle);
  const at::Tensor y = (cosine * v + sine * u) * static_cast<double>(rows) + static_cast<double>(gridRows) / 2;
  const at::Tensor x = (cosine * u - sine * v) * static_cast<double>(columns) + static_cast<double>(gridColumns) / 2;
  const at::Tensor top = y.floor(), left = x.floor();
  const at::Tensor dy = y - top, dx = x - left;
  const at::Tensor corner = (top * static_cast<double>(gridColumns) + left).to(at::kLong);
  // Each corner contributes the dot product of its gradient with the distance from it.
  const auto from = [&](int64_t down, int64_t right) {
    const at::Tensor gradient = gradients.index({(corner + down * gridColumns + right).flatten()});
    return gradient.select(1, 0).view({height, width}) * (dy - static_cast<double>(down)) +
           gradient.select(1, 1).view({height, width}) * (dx - static_cast<double>(right));
  };
  const at::Tensor across = fade(dx), downward = fade(dy);
  const at::Tensor upper = at::lerp(from(0, 0), from(0, 1), across), lower = at::lerp(from(1, 0), from(1, 1), across);
  return std::sqrt(2.0) * at::lerp(upper, lower, downward);
}

at::Tensor noiseTexture(int64_t height, int64_t width, Rng& rng) {
  constexpr int kOctaves = 4;
  const int64_t coarsest = int64_t{1} << rng.below(4);
  const at::Tensor colour = rng.uniform({3, 1, 1}), contrast = rng.uniform({3, 1, 1});
  at::Tensor noise = at::zeros({3, height, width});
  double strength = 1;
  for (int octave = 0; octave < kOctaves; ++octave, strength /= 2) {
    const int64_t cells = coarsest << octave;
    const at::Tensor shared = perlinNoise(height, width, cells, cells, rng.uniform(0, 2 * M_PI), rng);
    noise += strength * shared;
  }
  return (colour + contrast * noise).clamp(0, 1);
}

}  // namespace dan::augment
