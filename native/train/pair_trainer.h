// The trainer fits one adapter to the image pairs of one anomaly type.
#pragma once

#include <memory>

#include "dual/adapter_file.h"
#include "dual/dual_unet.h"
#include "train/adamw.h"
#include "train/loss_scaler.h"
#include "train/pair_latents.h"

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
  std::string globalPrompt = "a vfx with sks", anomalyPrompt = "sks";
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
  // `base` must outlive this object.
  PairTrainer(const model::BaseModel& base, PairLatents latents, TrainOptions options);

  // Makes one optimiser update over batchSize x gradientAccumulation pairs. Throws ERR_NON_FINITE_LOSS if the loss or
  // the gradients are not finite, in float16 at every loss scale. After any exception, the trainer is in the state
  // before the step, and the next steps are those of an uninterrupted run.
  StepResult step(const Task& task);
  // Returns true if the loss is scaled, which is the case in float16.
  bool scalesLoss() const { return scaler_.enabled(); }

  int64_t position() const { return position_; }
  const dual::Adapter& adapter() const { return *adapter_; }
  const PairLatents& latents() const { return latents_; }
  const TrainOptions& options() const { return options_; }
  // Returns a copy of the adapter as it is now, with `metadata` and the latent means of the training images.
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
  at::Tensor lossOfBatch();
  StepResult tryStep(const Task& task);
  [[noreturn]] void failNotFinite(const StepResult& result) const;
  double learningRateAt(int64_t step) const;

  const model::BaseModel& base_;
  PairLatents latents_;
  TrainOptions options_;
  diffusion::NoiseSchedule schedule_;
  at::Tensor inputIds_;  // (2, 77): global prompt, anomaly prompt
  std::unique_ptr<dual::Adapter> adapter_;
  std::unique_ptr<AdamW> optimizer_;
  LossScaler scaler_;
  at::Generator generator_;
  at::Tensor order_;  // (N), the image indices in this epoch's order
  int64_t cursor_ = 0, position_ = 0;
};

// Returns weights of mean 1 per picture that give `defect` (B, 1, h, w; zeros and ones) at least `share` of a uniform
// error.
at::Tensor defectWeights(const at::Tensor& defect, double share);

// Computes the loss of the paper: the mean squared error over both branches together, weighted where `weights` are
// given, which broadcast to the latents.
// latents, noise: (B * 2, 4, h, w); timesteps: (B), shared by both branches; encoderHiddenStates: (B * 2, 77, D).
struct PairLoss {
  at::Tensor loss, prediction, noisy;
};
PairLoss pairLoss(const dual::DualUnet& unet, const diffusion::NoiseSchedule& schedule, const at::Tensor& latents,
                  const at::Tensor& noise, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                  const dual::BackgroundFeatures* background = nullptr, const at::Tensor& weights = {});

}  // namespace dan::train
