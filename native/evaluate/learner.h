// This base class trains the evaluation's networks on drawn examples and saves their checkpoints.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/task.h"
#include "evaluate/defect_source.h"
#include "io/safetensors.h"
#include "nn/weights.h"
#include "train/adamw.h"

namespace dan::evaluate {

struct LearnerOptions {
  int64_t channels = 64;  // the network's base width
  int64_t batchSize = 16, iterations = 6400;
  double learningRate = 1e-4;  // Adam's; a fifth of it after 80 % of the iterations, a fifth of that after 90 %
  bool flips = true;           // It applies to the good images.
  uint64_t seed = 0;
};

struct LearnerStep {
  int64_t step = 0;  // counted from 1
  double loss = 0;
};

class Learner {
 public:
  virtual ~Learner() = default;

  // Makes one update on a batch. The batch depends only on the seed and the step. Throws ERR_NON_FINITE_LOSS if loss or
  // gradients are not finite. After any exception, the network is in the state before the step.
  LearnerStep step(const Task& task);

  // Returns the network's probabilities for images, (N, H, W, 3) uint8: an output for each, float on the CPU. Throws
  // ERR_NON_FINITE.
  at::Tensor predict(const at::Tensor& images, const Task& task) const;

  int64_t position() const { return position_; }
  // Writes weights, optimiser and position, whole or not at all, and reads them back. Throws ERR_CHECKPOINT_MISMATCH
  // for another learner's.
  void saveCheckpoint(const std::string& path, const io::Metadata& settings) const;
  void loadCheckpoint(const std::string& path);

 protected:
  Learner(LearnerOptions options, at::Device device) : options_(options), device_(device) {}
  const LearnerOptions& options() const { return options_; }
  at::Device device() const { return device_; }
  const TensorMap& weights() const { return weights_; }

  // Takes the network's tensors. All but running statistics are trained.
  void train(const TensorMap& weights);
  // Returns the generator of the weights' first values.
  at::Generator weightsGenerator() const;

  virtual Example draw(Rng& rng) const = 0;
  virtual at::Tensor loss(const std::vector<Example>& examples) const = 0;
  // `images` are (N, 3, H, W) in 0 .. 1.
  virtual at::Tensor probabilities(const at::Tensor& images) const = 0;

 private:
  LearnerStep tryStep();
  double learningRate() const;

  LearnerOptions options_;
  at::Device device_;
  TensorMap weights_;
  std::unique_ptr<train::AdamW> optimizer_;
  int64_t position_ = 0;
};

bool isRunningStatistic(const std::string& name);

}  // namespace dan::evaluate
