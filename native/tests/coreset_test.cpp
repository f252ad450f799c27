// A coreset is chosen like a plain greedy search would choose it.
#include "detect/coreset.h"

#include <algorithm>
#include <limits>

#include "core/random.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

// Returns clusters of different width, so that far and near centers both occur.
at::Tensor clusters(int64_t count, int64_t dimensions) {
  const at::Generator generator = makeGenerator(1);
  const at::Tensor centers = 4 * randn({7, dimensions}, generator);
  const at::Tensor cluster = at::randint(0, 7, {count}, generator);
  const at::Tensor width = at::rand({count, 1}, generator);
  return centers.index_select(0, cluster) + width * randn({count, dimensions}, generator);
}

// Looks at every point and every center each time.
std::vector<int64_t> plainGreedy(const at::Tensor& points, int64_t first, int64_t count) {
  std::vector<int64_t> chosen = {first};
  while (static_cast<int64_t>(chosen.size()) < count) {
    const at::Tensor centers = points.index_select(0, at::tensor(chosen, at::kLong));
    const at::Tensor differences = points.unsqueeze(1).to(at::kDouble) - centers.to(at::kDouble);
    chosen.push_back(std::get<0>(differences.square().sum(2).min(1)).argmax().item<int64_t>());
  }
  return chosen;
}

}  // namespace

DAN_TEST(a_coreset_is_that_of_a_plain_greedy_search) {
  for (const int64_t dimensions : {2, 24}) {
    const at::Tensor points = clusters(400, dimensions);
    detect::GreedyCoreset coreset(points, 17);
    const Task task;
    coreset.growTo(60, task);
    EXPECT(coreset.chosen() == plainGreedy(points, 17, 60));
  }
}

DAN_TEST(a_coreset_grows_in_parts_and_from_what_was_chosen_before) {
  const at::Tensor points = clusters(300, 5);
  const Task task;
  detect::GreedyCoreset whole(points, 3), parts(points, 3);
  whole.growTo(50, task);
  parts.growTo(20, task);
  Task cancelled;
  cancelled.cancel();
  expectError([&] { parts.growTo(40, cancelled); }, "aborted");
  EXPECT(parts.chosen().size() == 20);
  detect::GreedyCoreset resumed(points, parts.chosen());
  parts.growTo(50, task);
  resumed.growTo(50, task);
  EXPECT(parts.chosen() == whole.chosen() && resumed.chosen() == whole.chosen());
}

DAN_TEST(a_coreset_holds_no_point_twice) {
  const Task task;
  const at::Tensor distinct = clusters(30, 4);
  detect::GreedyCoreset coreset(distinct.repeat({10, 1}), 0);
  coreset.growTo(200, task);
  std::vector<int64_t> chosen;
  for (const int64_t index : coreset.chosen()) chosen.push_back(index % 30);
  EXPECT(chosen.size() == 30);
  std::sort(chosen.begin(), chosen.end());
  EXPECT(std::unique(chosen.begin(), chosen.end()) == chosen.end());
}

}  // namespace dan::tests
