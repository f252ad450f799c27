// Everything that a training run needs in order to go on as if it had never stopped.
#pragma once

#include <string>

#include "train/adamw.h"

namespace dan::pretrain {

class RunState {
 public:
  // `parameters` are trained in place by `optimizer`; both must outlive this object.
  RunState(const TensorMap& parameters, train::AdamW& optimizer, uint64_t seed);

  // Must be called after every optimiser step: counts it and updates the averages.
  void advance();

  int64_t step() const { return step_; }
  at::Generator& generator() { return generator_; }
  // Returns the exponential moving averages of the parameters, which are what we ship.
  const TensorMap& averages() const { return averages_; }

  // Writes the file whole or not at all.
  void save(const std::string& path) const;
  // Throws ERR_CHECKPOINT_MISMATCH if the file belongs to a model of another shape.
  void load(const std::string& path);

 private:
  const TensorMap& parameters_;
  train::AdamW& optimizer_;
  TensorMap averages_;
  at::Generator generator_;
  int64_t step_ = 0;
};

}  // namespace dan::pretrain
