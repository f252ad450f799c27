// The order of regions decides what training sees, and a resumed run must go on in it.
#include "train/region_order.h"

#include <map>
#include <set>

#include "core/random.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

std::vector<int64_t> drawn(train::RegionOrder& order, int count, const at::Generator& generator) {
  std::vector<int64_t> regions;
  for (int i = 0; i < count; ++i) regions.push_back(order.next(generator));
  return regions;
}

}  // namespace

DAN_TEST(types_take_turns_and_regions_repeat_only_when_all_were_used) {
  const std::vector<int64_t> types = {0, 2, 1, 1, 2, 2, 2};
  train::RegionOrder order(types, 3);
  const std::vector<int64_t> regions = drawn(order, 24, makeGenerator(3));
  std::map<int64_t, std::vector<int64_t>> ofType;
  std::set<std::vector<int64_t>> rounds;
  for (size_t i = 0; i < regions.size(); i += 3) {
    std::vector<int64_t> round;
    for (size_t j = i; j < i + 3; ++j) {
      const int64_t type = types[static_cast<size_t>(regions[j])];
      round.push_back(type);
      ofType[type].push_back(regions[j]);
    }
    EXPECT(std::set<int64_t>(round.begin(), round.end()).size() == 3);
    rounds.insert(round);
  }
  EXPECT(rounds.size() > 1);  // The turns change.
  const auto firsts = [&](int64_t type, int count) {
    return std::set<int64_t>(ofType[type].begin(), ofType[type].begin() + count);
  };
  EXPECT(firsts(0, 8) == std::set<int64_t>({0}) && firsts(1, 2) == std::set<int64_t>({2, 3}));
  EXPECT(firsts(2, 4) == std::set<int64_t>({1, 4, 5, 6}));
}

DAN_TEST(a_single_type_is_shuffled_as_it_always_was) {
  train::RegionOrder order({0, 0, 0, 0, 0}, 1);
  at::Generator plain = makeGenerator(8);
  const auto whole = at::TensorOptions().dtype(at::kLong);
  const at::Tensor expected = at::cat({at::randperm(5, plain, whole), at::randperm(5, plain, whole)});
  EXPECT(at::tensor(drawn(order, 10, makeGenerator(8)), at::kLong).equal(expected));
  TensorMap saved;
  order.save(saved);
  EXPECT(saved.size() == 2 && saved.at("order").equal(expected.slice(0, 5)));
  EXPECT(saved.at("cursor").item<int64_t>() == 5);
}

DAN_TEST(an_order_of_types_goes_on_from_a_checkpoint) {
  const std::vector<int64_t> types = {0, 0, 1, 1, 1, 2};
  at::Generator generator = makeGenerator(1);
  train::RegionOrder order(types, 3), resumed(types, 3);
  drawn(order, 4, generator);
  TensorMap saved;
  order.save(saved);
  at::Generator again = generator.clone();
  resumed.load(saved, "checkpoint");
  EXPECT(drawn(order, 20, generator) == drawn(resumed, 20, again));
  train::RegionOrder fewer({0, 1}, 2);
  expectError([&] { fewer.load(saved, "checkpoint"); }, "checkpoint: order is not an order of 1 images");
  order.save(saved);
  saved.erase("order.turns");
  expectError([&] { resumed.load(saved, "checkpoint"); }, "lacks order.turns");
  expectError([&] { train::RegionOrder({0, 1}, 3); }, "type 2 has none");
  expectError([&] { train::RegionOrder({0, 3}, 3); }, "below 3 for region 1 but received 3");
}

}  // namespace dan::tests
