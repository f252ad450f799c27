// This base class trains networks on drawn examples and saves their checkpoints.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "detect/detector.h"
#include "nn/weights.h"
#include "train/adamw.h"

namespace dan::detect {

// The default is plain Adam without clipping.
struct ParameterGroup {
  TensorMap tensors;
  train::AdamWOptions adam = {0.9, 0.999, 0, 1e-8, 0};
  double learningRateFactor = 1;
};

class Learner {
 public:
  virtual ~Learner() = default;

  // Makes one update on a batch. The batch depends only on the seed and the step. Throws ERR_NON_FINITE_LOSS if loss or
  // gradients are not finite. After any exception, the network is in the state before the step.
  FitStep step(const Task& task);

  int64_t position() const { return position_; }
  // Writes weights, optimiser and position, whole or not at all, and reads them back. Throws ERR_CHECKPOINT_MISMATCH
  // for another learner's.
  void saveCheckpoint(const std::string& path, const io::Metadata& settings) const;
  void loadCheckpoint(const std::string& path);

 protected:
  explicit Learner(const LearnerOptions& options) : options_(options) {}
  const LearnerOptions& options() const { return options_; }
  // Returns the tensors that train() or keep() got.
  const TensorMap& tensors() const { return tensors_; }

  // Trains the tensors of each group. Running statistics are not trained: the loss updates them. Frozen tensors do not
  // belong here.
  void train(const std::vector<ParameterGroup>& groups);
  // Holds the tensors of a fitted network. It cannot make steps.
  void keep(const TensorMap& tensors);
  // Returns the generator of the weights' first values.
  at::Generator weightsGenerator() const;

  virtual Example draw(Rng& rng) const = 0;
  // Returns the loss of a batch. `rng` is for numbers that do not belong to one example.
  virtual at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const = 0;
  // Returns the learning rate after a share of the iterations, 0 to 1: by default a fifth of the option's after 80 %,
  // and a fifth of that after 90 %.
  virtual double learningRate(double done) const;
  // Returns the norm of all gradients together, to which greater ones are scaled down. By default they are not.
  virtual double maxGradNorm() const { return std::numeric_limits<double>::infinity(); }

 private:
  struct Optimizer {
    train::AdamW adam;
    double learningRateFactor;
  };
  FitStep tryStep();
  double update();  // Returns the norm of the gradients.

  LearnerOptions options_;
  TensorMap tensors_;
  std::vector<Optimizer> optimizers_;
  int64_t position_ = 0;
};

bool isRunningStatistic(const std::string& name);

}  // namespace dan::detect
