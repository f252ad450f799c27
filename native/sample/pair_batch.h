// A batch samples pairs from an adapter: it encodes prompts, draws noise, denoises step by step, and decodes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/pixel_values.h"
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
  double guidedFrom = 0.0, guidedTo = 1.0;  // range of guided calls, from image (0) to noise (1)
  int64_t reuseFeatures = 1;                // calls from one computation of the UNet's inner levels to the next
  std::string scheduler = "pndm";
  Prompts prompts;
  uint64_t seed = 0;
  // True to start pairs from noise around the training images' latent means instead of pure noise. With a background or
  // with known ground, the whole image starts around its mean. It has no effect if the source has no latent means.
  bool startFromLatentMean = false;
  bool attention = false;    // record the anomaly branch's attention
  bool fastDecoder = false;  // decode with the base's TAESD
};

// A batch needs these objects, which must outlive it.
struct PairSource {
  const model::BaseModel& base;
  const dual::Adapter& adapter;
  dual::PairModel& unet;                     // of this base and this adapter
  const Backgrounds* backgrounds = nullptr;  // only for adapters with background compensation
  at::Tensor latentMeans;                    // (2, branches, channels), as in train::PairLatents, or undefined
  // True for an adapter with one branch (an ablation), which draws no parts. A pair's part is then a copy of its image.
  bool isOneBranch = false;
  PartFill partFill = PartFill::kGrey;  // the blank ground of the adapter's parts
};

class PairBatch {
 public:
  // Begins the pairs with these indices. The noise of pair k depends on the seed and on k, but not on the batch. With
  // `ground`, pairs are drawn in its place only. Throws ERR_INVALID_OPTION for a size, a scheduler, backgrounds or a
  // strength that do not fit, and for fastDecoder if the base has no TAESD.
  PairBatch(const PairSource& source, SampleOptions options, std::vector<int64_t> indices,
            const std::optional<GroundInputs>& ground = {});
  PairBatch(const PairBatch&) = delete;
  PairBatch& operator=(const PairBatch&) = delete;
  ~PairBatch();

  // Returns the timesteps of the scheduler's calls. Some schedulers make more calls than they have steps.
  const std::vector<double>& timesteps() const { return scheduler_->timesteps(); }
  size_t position() const { return position_; }
  bool isDone() const { return position_ == timesteps().size(); }

  // These are the scheduler's latents, (B * 2, 4, h, w) float32. They may be changed between steps.
  const at::Tensor& latents() const { return latents_; }
  void setLatents(const at::Tensor& latents);
  // Throws ERR_NON_FINITE with the step. On a device, expectFinite, decode or DrawnPairs::take throws it instead.
  void step();
  // Waits for the device. Throws ERR_NON_FINITE.
  void expectFinite() const { checks_.expect(); }

  // Decodes the current latents. Attention maps are means over the steps so far.
  DrawnPairs decode(const Task& task) const;

 private:
  void checkSource() const;
  void begin(const GroundInputs& ground);
  bool isGuided() const { return options_.guidanceScale > 1.0; }
  void encodePrompts();
  void addBackgrounds();
  at::Tensor noiseAroundLatentMean(const at::Tensor& noise, const std::optional<GroundInputs>& ground) const;

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

// Makes every step and decodes the pairs. `onStep` is called with (step, steps). On CUDA it returns as soon as all of
// this work is queued.
DrawnPairs drawPairs(const PairSource& source, const SampleOptions& options, const std::vector<int64_t>& indices,
                     const Task& task, const std::function<void(size_t step, size_t steps)>& onStep = {});
// Does the same, but waits for the pairs.
std::vector<SampledPair> samplePairs(const PairSource& source, const SampleOptions& options,
                                     const std::vector<int64_t>& indices, const Task& task,
                                     const std::function<void(size_t step, size_t steps)>& onStep = {});

// Throws ERR_INVALID_OPTION unless both sides are positive multiples of what the model needs.
void checkResolution(const model::BaseModel& base, int64_t width, int64_t height);

}  // namespace dan::sample
