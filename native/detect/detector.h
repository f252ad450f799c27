// This is the interface of all detectors: each is fitted on good images, some on defects too, and scores images.
//
// A new detector implements the functions that are marked below, and adds a line to the table in detectors.cpp. Its
// class has two constructors: one with DetectorSettings, FitData and a device starts a fit; one with DetectorSettings
// and the weights of a saved file scores images only. A detector that learns by gradients derives from TrainedDetector
// (trained_detector.h), which implements all but draw(), loss() and scoreBatch().
#pragma once

#include <memory>
#include <string>

#include "core/task.h"
#include "detect/defect_source.h"
#include "io/safetensors.h"

namespace dan::detect {

struct LearnerOptions {
  int64_t channels = 64;  // the network's base width
  int64_t batchSize = 16, iterations = 6400;
  double learningRate = 1e-4;
  bool flips = true;  // It applies to the good images.
  uint64_t seed = 0;
};

struct DetectorSettings {
  std::string name;
  LearnerOptions training;  // Scoring needs its channels and its batch size, which a saved file has.
  // The name of a backbone in model/backbone.h, and its file. Both are empty if the detector has none. A saved detector
  // contains the weights of its backbone, so it needs no file.
  std::string backbone, backboneFile;
};

struct FitData {
  augment::Pool good;
  std::unique_ptr<DefectSource> defects;  // null if the detector is to learn from good images alone
};

struct FitStep {
  int64_t step = 0;  // counted from 1
  double loss = 0;   // NaN if the step has none
};

struct Scored {
  at::Tensor maps;    // (N, H, W) float: the anomaly score of each pixel, in any range; higher is more anomalous
  at::Tensor scores;  // (N) float: the score of each image; undefined if the detector defines none but its map
};

class Detector {
 public:
  virtual ~Detector() = default;

  // Implement: makes one unit of the fit, such as an update on a batch, or the embedding of a batch of good images.
  // The same seed gives the same fit. A unit of more than about a second checks the task. After any exception the
  // detector is in the state before the step. Must not be called when position() is steps().
  virtual FitStep step(const Task& task) = 0;
  // Implement: the number of finished units, and of all units. They are equal for a loaded detector.
  virtual int64_t position() const = 0;
  virtual int64_t steps() const = 0;
  // Implement: writes all that the fit needs to go on, whole or not at all, and reads it back. Throws
  // ERR_CHECKPOINT_MISMATCH for another detector's file.
  virtual void saveCheckpoint(const std::string& path, const io::Metadata& metadata) const = 0;
  virtual void loadCheckpoint(const std::string& path) = 0;

  // Scores images, (N, H, W, 3) uint8. The results are on the CPU. Throws ERR_NON_FINITE.
  Scored score(const at::Tensor& images, const Task& task) const;
  // Writes what score() needs, whole or not at all, for loadDetector(). The keys of `metadata` must not be those of
  // the engine: format, format_version, detector, channels, batch_size, backbone.
  void save(const std::string& path, const io::Metadata& metadata) const;

  // Returns the size of the tensors that save() writes.
  int64_t bytes() const;

  const DetectorSettings& settings() const { return settings_; }

 protected:
  Detector(DetectorSettings settings, at::Device device) : settings_(std::move(settings)), device_(device) {}
  at::Device device() const { return device_; }

  // Implement: scores a batch, (N, 3, H, W) float in 0 .. 1 on the detector's device, without gradients.
  virtual Scored scoreBatch(const at::Tensor& images, const Task& task) const = 0;
  // Implement: the tensors that the second constructor takes from its weights.
  virtual TensorMap weights() const = 0;

 private:
  DetectorSettings settings_;
  at::Device device_;
};

// Starts the fit of a detector. Throws ERR_INVALID_OPTION for an unknown name, and ERR_DATASET_INVALID if there are no
// good images, or no defects for a detector that needs them.
std::unique_ptr<Detector> makeDetector(const DetectorSettings& settings, FitData data, at::Device device);

// Reads a detector that save() wrote. Throws ERR_WEIGHTS_INVALID with the file and the reason for any other file.
std::unique_ptr<Detector> loadDetector(const std::string& path, at::Device device);

}  // namespace dan::detect
