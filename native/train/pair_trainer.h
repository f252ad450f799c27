// The trainer fits one adapter to the image pairs of one or more anomaly types.
#pragma once

#include <memory>

#include "dual/adapter_file.h"
#include "train/adamw.h"
#include "train/latent_source.h"
#include "train/loss_scaler.h"
#include "train/pair_loss.h"
#include "train/region_order.h"

namespace dan::train {

// kJoint trains the whole method. The other two are the paper's ablations: without SAIM nothing connects the branches.
enum class Branches { kJoint, kSeparate, kGlobalAlone };
// Accepts "joint", "separate" or "one".
Branches parseBranches(const std::string& name);

struct TrainOptions {
  int64_t rank = 32, batchSize = 4, gradientAccumulation = 1, warmupSteps = 0;
  double learningRate = 5e-6, weightDecay = 1e-2, maxGradNorm = 1.0;
  // Timesteps are drawn with density p * t^(p - 1): 1 is the paper's uniform draw, more favours high noise, where
  // composition and colour are decided.
  double timestepPower = 1.0;
  // At least this share of each picture's loss comes from the latents on and beside the defect. 0 is the paper's loss,
  // in which a crack on a few latents in a thousand hardly counts.
  double defectLossShare = 0.0;
  std::vector<std::string> globalPrompts = {"a vfx with sks"}, anomalyPrompts = {"sks"};  // one for each type
  bool trainTextEncoder = true;
  bool gradientCheckpointing = false;  // It needs less memory and more time; see nn/gradient_checkpoint.h.
  Branches branches = Branches::kJoint;
  dual::BackgroundMode background = dual::BackgroundMode::kOff;
  // If true, background latents are multiplied by the VAE's scaling factor. Published adapters were trained without it.
  bool backgroundScaled = true;
  // the adapter file to start from; empty: a fresh adapter
  std::string initialAdapter;
  uint64_t seed = 0;
};

struct StepResult {
  int64_t step = 0;  // counted from 1
  double loss = 0, gradNorm = 0, learningRate = 0;
  // These two matter in float16. `lossScale` is the factor of the loss. `skippedSteps` counts the steps so far,
  // including this one, whose gradients overflowed; such a step changes only the factor, and its `gradNorm` is not
  // finite.
  double lossScale = 1;
  int64_t skippedSteps = 0;
};

class PairTrainer {
 public:
  // `base` must outlive this object. Throws ERR_INVALID_OPTION if the prompts do not fit the types of the regions.
  PairTrainer(const model::BaseModel& base, std::unique_ptr<LatentSource> latents, TrainOptions options);

  // Makes one optimiser update over batchSize x gradientAccumulation pairs. Throws ERR_NON_FINITE_LOSS if the loss or
  // the gradients are not finite, in float16 at every loss scale. After any exception, the trainer is in the state
  // before the step, and the next steps are those of an uninterrupted run.
  StepResult step(const Task& task);
  // Returns true if the loss is scaled, which is the case in float16.
  bool scalesLoss() const { return scaler_.enabled(); }

  int64_t position() const { return position_; }
  const dual::Adapter& adapter() const { return *adapter_; }
  const LatentSource& latents() const { return *latents_; }
  const TrainOptions& options() const { return options_; }
  // Returns a copy of the adapter as it is now, with `metadata`, the latent means of the training images, and examples.
  dual::AdapterFile trainedAdapter(io::Metadata metadata) const;
  // Returns latents of the first image's background, (1, 4, h, w), for previews; undefined without background
  // compensation.
  at::Tensor firstBackground() const;

  // Writes adapter, optimiser, random state and position, whole or not at all. `settings` become the file's metadata.
  void saveCheckpoint(const std::string& path, const io::Metadata& settings) const;
  // Throws ERR_WEIGHTS_INVALID, or ERR_CHECKPOINT_MISMATCH if the file belongs to another adapter.
  void loadCheckpoint(const std::string& path);
  // Takes the adapter of a finished run of `steps` steps from its file, for previews and to save it again. The
  // optimiser is gone, so further steps would not be those of an uninterrupted run.
  void loadFinished(const std::string& path, int64_t steps);

 private:
  void copyParameters(const TensorMap& tensors, const std::string& prefix, const std::string& path);
  at::Tensor nextIndices();
  at::Tensor encodePrompts(const at::Tensor& index) const;
  dual::BackgroundFeatures backgroundFeatures(const dual::DualUnet& unet, const TrainingBatch& batch,
                                              const at::Tensor& timesteps, const at::Tensor& encoded);
  at::Tensor lossOfBatch();
  StepResult tryStep(const Task& task);
  [[noreturn]] void failNotFinite(const StepResult& result) const;
  double learningRateAt(int64_t step) const;

  const model::BaseModel& base_;
  std::unique_ptr<LatentSource> latents_;
  TrainOptions options_;
  diffusion::NoiseSchedule schedule_;
  at::Tensor inputIds_;  // (types, 2, 77): global prompt, anomaly prompt
  at::Tensor types_;     // (regions)
  std::unique_ptr<dual::Adapter> adapter_;
  std::unique_ptr<AdamW> optimizer_;
  LossScaler scaler_;
  at::Generator generator_;
  RegionOrder order_;
  int64_t position_ = 0;
};

}  // namespace dan::train
