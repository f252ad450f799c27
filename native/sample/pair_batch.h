// A batch of pairs from an adapter on its way from noise to images: prompts, noise, denoising step by step, decoding.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dual/adapter.h"
#include "dual/pair_model.h"
#include "sample/backgrounds.h"
#include "sample/decoding.h"
#include "sample/denoise.h"
#include "sample/pair_noise.h"
#include "sample/prompt_states.h"

namespace dan::sample {

struct SampleOptions {
  int64_t steps = 50, width = 512, height = 512;
  double guidanceScale = 2.5, eta = 0.0;
  double guidedFrom = 0.0, guidedTo = 1.0;  // the guided calls, by their place between image (0) and noise (1)
  int64_t reuseFeatures = 1;                // the UNet's inner levels are computed at every so many calls
  std::string scheduler = "pndm";
  Prompts prompts;
  uint64_t seed = 0;
  // Pairs start from the training images' latent means (with a background: the whole image from its mean) instead of
  // pure noise. That changes nothing where the source does not know them.
  bool startFromLatentMean = false;
  bool attention = false;    // record what the anomaly branch looks at
  bool fastDecoder = false;  // decode with the base's TAESD
};

// What a batch is drawn from; all must outlive it.
struct PairSource {
  const model::BaseModel& base;
  const dual::Adapter& adapter;
  dual::PairModel& unet;                     // of this base and this adapter
  const Backgrounds* backgrounds = nullptr;  // for adapters with background compensation, and for them only
  at::Tensor latentMeans;                    // (2, branches, channels), as train::PairLatents has them, or undefined
  // The adapter was trained with one branch, which draws no parts (an ablation): a pair's part is a copy of its image.
  bool isOneBranch = false;
};

class PairBatch {
 public:
  // Begins the pairs of these indices. Pair k of a seed starts from the same noise whatever batch it is in. Throws
  // ERR_INVALID_OPTION for a size, a scheduler or backgrounds that do not fit, and for fastDecoder without one.
  PairBatch(const PairSource& source, SampleOptions options, std::vector<int64_t> indices);
  PairBatch(const PairBatch&) = delete;
  PairBatch& operator=(const PairBatch&) = delete;
  ~PairBatch();

  // Returns those of the scheduler's calls. Some schedulers call more often than they have steps.
  const std::vector<double>& timesteps() const { return scheduler_->timesteps(); }
  size_t position() const { return position_; }
  bool isDone() const { return position_ == timesteps().size(); }

  // Latents are (B * 2, 4, h, w) float32, as the scheduler keeps them. They may be changed between steps.
  const at::Tensor& latents() const { return latents_; }
  void setLatents(const at::Tensor& latents);
  // Throws ERR_NON_FINITE naming the step, on a device but at expectFinite, decode or DrawnPairs::take.
  void step();
  // Waits for the device.
  void expectFinite() const { checks_.expect(); }

  // Decodes the pairs as they are now. Attention maps are the mean of the steps so far.
  DrawnPairs decode(const Task& task) const;

 private:
  void checkSource() const;
  bool isGuided() const { return options_.guidanceScale > 1.0; }
  void encodePrompts();
  void addBackgrounds();
  at::Tensor start();

  PairSource source_;
  SampleOptions options_;
  std::vector<int64_t> indices_;
  PairNoise noise_;
  std::unique_ptr<diffusion::Scheduler> scheduler_;
  std::unique_ptr<dual::AttentionMaps> attention_;
  DenoiseInputs inputs_;
  at::Tensor latents_;
  FiniteChecks checks_;  // of the prompts and the steps so far
  size_t position_ = 0;
  model::InnerFeatures inner_;
  std::unique_ptr<BackgroundPass> background_;
};

// Does all of it: every step, then decoding. `onStep` hears (step, steps). On CUDA it returns when all of that is on
// its way.
DrawnPairs drawPairs(const PairSource& source, const SampleOptions& options, const std::vector<int64_t>& indices,
                     const Task& task, const std::function<void(size_t step, size_t steps)>& onStep = {});
// Does the same, and waits.
std::vector<SampledPair> samplePairs(const PairSource& source, const SampleOptions& options,
                                     const std::vector<int64_t>& indices, const Task& task,
                                     const std::function<void(size_t step, size_t steps)>& onStep = {});

// Throws ERR_INVALID_OPTION unless both sides are positive multiples of what the model needs.
void checkResolution(const model::BaseModel& base, int64_t width, int64_t height);

}  // namespace dan::sample
