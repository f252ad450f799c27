#include "detect/coreset.h"

#include <algorithm>
#include <limits>

namespace dan::detect {

namespace {

constexpr int64_t kBlock = 1 << 16;  // points whose coordinates are copied at once
constexpr int64_t kWithoutProducts = 2;
constexpr int64_t kLeading = 16;
constexpr double kRounding = 1e-4;  // relative, far above that of a distance in float32

// Returns the Euclidean distances from points, (n, d), to one point, (d). Differences are summed directly, because the
// expansion of the square would be inexact for near points, and would not give zero for equal ones.
at::Tensor distancesTo(const at::Tensor& points, const at::Tensor& point) {
  return at::cdist(points, point.unsqueeze(0), /*p=*/2, kWithoutProducts).squeeze(1);
}

// Returns the coordinates of points, (n, d), along their directions of largest variance: (n, k).
at::Tensor leadingCoordinates(const at::Tensor& points) {
  const at::Tensor centered = points - points.mean(0);
  const at::Tensor covariance = centered.t().matmul(centered).to(at::kCPU, at::kDouble);
  const at::Tensor directions = std::get<1>(at::linalg_eigh(covariance));  // by ascending variance
  const int64_t count = std::min(kLeading, points.size(1));
  const at::Tensor leading = directions.narrow(1, points.size(1) - count, count).to(points.options());
  return centered.matmul(leading).contiguous();
}

}  // namespace

GreedyCoreset::GreedyCoreset(at::Tensor points, int64_t first)
    : GreedyCoreset(std::move(points), std::vector<int64_t>{first}) {}

GreedyCoreset::GreedyCoreset(at::Tensor points, const std::vector<int64_t>& chosen)
    : points_(points.contiguous()),
      leading_(leadingCoordinates(points_)),
      distances_(at::full({points_.size(0)}, std::numeric_limits<float>::infinity(), points_.options())) {
  for (const int64_t index : chosen) add(index);
}

void GreedyCoreset::growTo(int64_t count, const Task& task) {
  const at::Tensor distances = distances_.clone();
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
    chosen_.resize(before);
    throw;
  }
}

void GreedyCoreset::add(int64_t index) {
  const at::Tensor center = points_[index];
  // A distance along some directions is at most the distance. So most points are known to stay with their center after
  // a look at a few coordinates.
  const at::Tensor atLeast = distancesTo(leading_, leading_[index]);
  const at::Tensor candidates = (atLeast * (1 - kRounding) < distances_).nonzero().squeeze(1);
  for (const at::Tensor& block : candidates.split(kBlock)) {
    const at::Tensor distances = distancesTo(points_.index_select(0, block), center);
    distances_.index_copy_(0, block, at::minimum(distances, distances_.index_select(0, block)));
  }
  // Rounding must not choose a center twice.
  distances_[index] = 0;
  chosen_.push_back(index);
}

}  // namespace dan::detect
