#include "train/drawn_place.h"

#include <algorithm>

#include "core/error.h"

namespace dan::train {

namespace {

constexpr int64_t kWholeWindowEvery = 3;

// A dilated mask reaches at most an eighth of the window's side beyond the defect, and a widened box at most a quarter.
constexpr int64_t kDilationDivisor = 8, kWideningDivisor = 4;

struct Span {
  int64_t first, end;
};

at::Tensor boxOf(const at::Tensor& mask, Span rows, Span columns) {
  at::Tensor box = at::zeros_like(mask);
  box.slice(2, rows.first, rows.end).slice(3, columns.first, columns.end).fill_(1);
  return box;
}

Span widenedSpan(const at::Tensor& mask, int64_t dim, Rng& rng) {
  const int64_t side = mask.size(dim), most = side / kWideningDivisor;
  const at::Tensor marked = mask.any(5 - dim).flatten().nonzero();  // The other of the axes 2 and 3 is 5 - dim.
  const int64_t first = marked[0].item<int64_t>() - rng.below(most + 1);
  const int64_t end = marked[-1].item<int64_t>() + 1 + rng.below(most + 1);
  return {std::max<int64_t>(0, first), std::min(side, end)};
}

Span randomSpan(int64_t side, Rng& rng) {
  const int64_t least = std::max<int64_t>(1, side / 8), most = std::max(least, side / 2);
  const int64_t length = least + rng.below(most - least + 1);
  const int64_t first = rng.below(side - length + 1);
  return {first, first + length};
}

at::Tensor dilated(const at::Tensor& mask, int64_t radius) {
  const int64_t kernel = 2 * radius + 1;
  const at::Tensor tall = at::max_pool2d(mask, {kernel, 1}, {1, 1}, {radius, 0});
  return at::max_pool2d(tall, {1, kernel}, {1, 1}, {0, radius});
}

}  // namespace

Recipes parseRecipes(const std::string& name) {
  if (name == "both") return Recipes::kBoth;
  if (name == "noise") return Recipes::kNoise;
  if (name == "place") return Recipes::kPlace;
  fail(kInvalidOption, "Expected both, noise or place for recipe but received ", name);
}

at::Tensor drawPlace(const at::Tensor& mask, Recipes recipes, Rng& rng) {
  const int64_t side = mask.size(2);
  if (recipes == Recipes::kNoise || (recipes == Recipes::kBoth && rng.below(kWholeWindowEvery) == 0)) {
    return at::ones_like(mask);
  }
  if (!mask.any().item<bool>()) {
    const Span rows = randomSpan(side, rng), columns = randomSpan(side, rng);
    return boxOf(mask, rows, columns);
  }
  if (rng.coin()) return dilated(mask, rng.below(side / kDilationDivisor + 1));
  const Span rows = widenedSpan(mask, 2, rng), columns = widenedSpan(mask, 3, rng);
  return boxOf(mask, rows, columns);
}

at::Tensor placeInLatents(const at::Tensor& places, at::IntArrayRef latentSize) {
  return std::get<0>(at::adaptive_max_pool2d(places, latentSize));
}

at::Tensor hidePlace(const at::Tensor& images, const at::Tensor& places) { return images * (1 - places); }

}  // namespace dan::train
