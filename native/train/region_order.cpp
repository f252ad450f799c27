#include "train/region_order.h"

#include "core/error.h"
#include "train/checkpoint.h"

namespace dan::train {

namespace {

// Checkpoints of one type have the names that version 0.1.0 gave them.
std::string suffixOf(size_t type) { return type == 0 ? "" : "." + std::to_string(type); }

constexpr const char* kTurns = ".turns";

}  // namespace

int64_t ShuffledCycle::next(at::Generator generator) {
  if (!order_.defined() || cursor_ == count_) {
    order_ = at::randperm(count_, std::move(generator), at::TensorOptions().dtype(at::kLong));
    cursor_ = 0;
  }
  return order_[cursor_++].item<int64_t>();
}

void ShuffledCycle::save(TensorMap& tensors, const std::string& suffix) const {
  tensors["order" + suffix] = order_.defined() ? order_ : at::empty({0}, at::kLong);
  tensors["cursor" + suffix] = at::full({1}, cursor_, at::kLong);
}

void ShuffledCycle::load(const TensorMap& tensors, const std::string& suffix, const std::string& path) {
  order_ = takeOrder(tensors, "order" + suffix, count_, path);
  cursor_ = takeCount(tensors, "cursor" + suffix, order_.defined() ? count_ : 0, path);
}

RegionOrder::RegionOrder(const std::vector<int64_t>& types, int64_t count) : turns_(count) {
  std::vector<std::vector<int64_t>> regions(static_cast<size_t>(count));
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] < 0 || types[i] >= count) {
      fail(kInvalidOption, "Expected a type below ", count, " for region ", i, " but received ", types[i]);
    }
    regions[static_cast<size_t>(types[i])].push_back(static_cast<int64_t>(i));
  }
  for (auto& ofType : regions) {
    if (ofType.empty()) fail(kInvalidOption, "Expected a region of every type but type ", types_.size(), " has none");
    const auto size = static_cast<int64_t>(ofType.size());
    types_.push_back({std::move(ofType), ShuffledCycle(size)});
  }
}

int64_t RegionOrder::next(at::Generator generator) {
  // A single type draws no turns, so that it uses the random numbers of version 0.1.0.
  Type& type = types_[types_.size() == 1 ? 0 : static_cast<size_t>(turns_.next(generator))];
  return type.regions[static_cast<size_t>(type.cycle.next(generator))];
}

void RegionOrder::save(TensorMap& tensors) const {
  for (size_t i = 0; i < types_.size(); ++i) types_[i].cycle.save(tensors, suffixOf(i));
  if (types_.size() > 1) turns_.save(tensors, kTurns);
}

void RegionOrder::load(const TensorMap& tensors, const std::string& path) {
  for (size_t i = 0; i < types_.size(); ++i) types_[i].cycle.load(tensors, suffixOf(i), path);
  if (types_.size() > 1) turns_.load(tensors, kTurns, path);
}

}  // namespace dan::train
