// This chooses a few points that represent many: greedy k-center selection (Gonzalez 1985). Each new center is the
// point that is farthest from the centers so far.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "core/task.h"

namespace dan::detect {

class GreedyCoreset {
 public:
  // points: (n, d) float. The first center is points[first].
  GreedyCoreset(at::Tensor points, int64_t first);
  // Goes on from centers that were chosen before.
  GreedyCoreset(at::Tensor points, const std::vector<int64_t>& chosen);

  // Chooses centers until there are `count`, or until every point lies on a center. The result does not depend on the
  // number of threads. After an exception the coreset is as before.
  void growTo(int64_t count, const Task& task);
  // Returns the indices of the centers in the order in which they were chosen.
  const std::vector<int64_t>& chosen() const { return chosen_; }

 private:
  void add(int64_t index);

  at::Tensor points_;
  at::Tensor leading_;    // (n, at most 16) coordinates of the points along the directions of largest variance
  at::Tensor distances_;  // (n) from each point to its nearest center
  std::vector<int64_t> chosen_;
};

}  // namespace dan::detect
