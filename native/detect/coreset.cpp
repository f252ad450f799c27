#include "detect/coreset.h"

#include <limits>

namespace dan::detect {

namespace {

constexpr int64_t kBlock = 1 << 16;  // points whose coordinates are copied at once
constexpr int64_t kWithoutProducts = 2;

// Returns the Euclidean distances from points, (n, d), to one point, (d). Differences are summed directly, because the
// expansion of the square would be inexact for near points, and would not give zero for equal ones.
at::Tensor distancesTo(const at::Tensor& points, const at::Tensor& point) {
  return at::cdist(points, point.unsqueeze(0), /*p=*/2, kWithoutProducts).squeeze(1);
}

}  // namespace

GreedyCoreset::GreedyCoreset(at::Tensor points, int64_t first)
    : GreedyCoreset(std::move(points), std::vector<int64_t>{first}) {}

GreedyCoreset::GreedyCoreset(at::Tensor points, const std::vector<int64_t>& chosen)
    : points_(points.contiguous()),
      distances_(at::full({points_.size(0)}, std::numeric_limits<float>::infinity(), points_.options())),
      nearest_(at::zeros({points_.size(0)}, points_.options().dtype(at::kLong))) {
  for (const int64_t index : chosen) add(index);
}

void GreedyCoreset::growTo(int64_t count, const Task& task) {
  const at::Tensor distances = distances_.clone(), nearest = nearest_.clone();
  const size_t before = chosen_.size();
  try {
    while (static_cast<int64_t>(chosen_.size()) < count) {
      task.checkCancelled();
      const int64_t farthest = distances_.argmax().item<int64_t>();
      if (distances_[farthest].item<float>() == 0) return;
      add(farthest);
    }
  } catch (...) {
    distances_ = distances;
    nearest_ = nearest;
    chosen_.resize(before);
    throw;
  }
}

void GreedyCoreset::add(int64_t index) {
  const at::Tensor center = points_[index];
  at::Tensor candidates = at::arange(points_.size(0), nearest_.options());
  if (!chosen_.empty()) {
    // A point that is nearer to its center than half the way from there to the new center stays with its center, by the
    // triangle inequality. Most points do.
    const at::Tensor centers = points_.index_select(0, at::tensor(chosen_, nearest_.options()));
    const at::Tensor ways = distancesTo(centers, center).index_select(0, nearest_);
    candidates = (ways < 2 * distances_).nonzero().squeeze(1);
  }
  const auto position = static_cast<int64_t>(chosen_.size());
  chosen_.push_back(index);
  for (const at::Tensor& block : candidates.split(kBlock)) {
    const at::Tensor distances = distancesTo(points_.index_select(0, block), center);
    const at::Tensor isNearer = distances < distances_.index_select(0, block);
    const at::Tensor moved = block.masked_select(isNearer);
    distances_.index_copy_(0, moved, distances.masked_select(isNearer));
    nearest_.index_fill_(0, moved, position);
  }
  // Rounding must not choose a center twice.
  distances_[index] = 0;
}

}  // namespace dan::detect
