// The order in which training uses its regions.
#pragma once

#include <string>
#include <vector>

#include "core/tensor_map.h"

namespace dan::train {

// Gives the numbers below `count` in random order, each once before any is given again.
class ShuffledCycle {
 public:
  explicit ShuffledCycle(int64_t count) : count_(count) {}
  int64_t next(at::Generator generator);

  // These write the state to a checkpoint and read it, under "order" and "cursor" followed by `suffix`. load() throws
  // ERR_WEIGHTS_INVALID.
  void save(TensorMap& tensors, const std::string& suffix) const;
  void load(const TensorMap& tensors, const std::string& suffix, const std::string& path);

 private:
  int64_t count_, cursor_ = 0;
  at::Tensor order_;  // (count); a new round makes a new tensor, so copies of this object may share it
};

// Gives regions so that the types take turns in a random order that changes every round, and every region of a type is
// used once before any is used again.
class RegionOrder {
 public:
  // `types` has the type of each region, below `count`. Throws ERR_INVALID_OPTION if a type lacks regions.
  RegionOrder(const std::vector<int64_t>& types, int64_t count);
  int64_t next(at::Generator generator);

  void save(TensorMap& tensors) const;
  // Throws ERR_WEIGHTS_INVALID.
  void load(const TensorMap& tensors, const std::string& path);

 private:
  struct Type {
    std::vector<int64_t> regions;
    ShuffledCycle cycle;
  };
  std::vector<Type> types_;
  ShuffledCycle turns_;
};

}  // namespace dan::train
