// This is the base class of the detectors that learn by gradients.
#pragma once

#include "detect/detector.h"
#include "detect/learner.h"

namespace dan::detect {

class TrainedDetector : public Detector, protected Learner {
 public:
  FitStep step(const Task& task) override { return Learner::step(task); }
  int64_t position() const override { return Learner::position(); }
  int64_t steps() const override { return options().iterations; }
  void saveCheckpoint(const std::string& path, const io::Metadata& metadata) const override {
    Learner::saveCheckpoint(path, metadata);
  }
  void loadCheckpoint(const std::string& path) override { Learner::loadCheckpoint(path); }

 protected:
  // Starts a fit. The subclass makes its network and calls train().
  TrainedDetector(const DetectorSettings& settings, FitData data, at::Device device)
      : Detector(settings, device), Learner(settings.training), data_(std::move(data)) {}
  // Holds a fitted network, which the subclass makes of `weights` and passes to keep().
  TrainedDetector(const DetectorSettings& settings, const nn::Weights& weights)
      : Detector(settings, weights.device()), Learner(settings.training) {}

  const FitData& data() const { return data_; }
  TensorMap weights() const override { return tensors(); }

 private:
  FitData data_;
};

}  // namespace dan::detect
