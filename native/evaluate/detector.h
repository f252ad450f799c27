// The evaluation's detector: a two-class segmentation network, trained on good images and defects.
#pragma once

#include <memory>

#include "core/task.h"
#include "evaluate/defect_source.h"
#include "io/safetensors.h"
#include "model/localization_net.h"
#include "train/adamw.h"

namespace dan::evaluate {

struct DetectorOptions {
  int64_t channels = 64;  // the network's base width
  int64_t batchSize = 16, iterations = 6400;
  double learningRate = 1e-4;  // Adam's; a fifth of it after 80 % of the iterations, a fifth of that after 90 %
  bool flips = true;           // of the good images
  uint64_t seed = 0;
};

struct DetectorStep {
  int64_t step = 0;  // counted from 1
  double loss = 0;
};

class Detector {
 public:
  // Pictures' sides must be multiples of 32. Fresh weights: kernels N(0, 0.02), norms N(1, 0.02), as published.
  Detector(DetectorOptions options, Pool good, std::unique_ptr<DefectSource> defects, at::Device device);

  // One update on a batch in which every picture is good or defective with even chances. What is drawn depends on the
  // seed and the step alone. Throws ERR_NON_FINITE_LOSS.
  DetectorStep step(const Task& task);

  // The probability of a defect for each pixel. images: (N, H, W, 3) uint8. Returns (N, H, W) float on the CPU.
  at::Tensor predict(const at::Tensor& images, const Task& task) const;

  int64_t position() const { return position_; }
  // Weights, optimiser and position; whole or not at all. Throws ERR_CHECKPOINT_MISMATCH for another detector's.
  void saveCheckpoint(const std::string& path, const io::Metadata& settings) const;
  void loadCheckpoint(const std::string& path);

 private:
  double learningRate() const;

  DetectorOptions options_;
  Pool good_;
  std::unique_ptr<DefectSource> defects_;
  at::Device device_;
  TensorMap weights_;
  std::unique_ptr<model::LocalizationNet> net_;
  std::unique_ptr<train::AdamW> optimizer_;
  int64_t position_ = 0;
};

}  // namespace dan::evaluate
