// A batch of pairs from an adapter on its way from noise to images: prompts, noise, denoising step by step, decoding.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/accelerator.h"
#include "core/finite.h"
#include "dual/adapter.h"
#include "dual/pair_model.h"
#include "model/base_model.h"
#include "sample/backgrounds.h"
#include "sample/denoise.h"
#include "sample/layout_batch.h"

namespace dan::sample {

struct SampleOptions {
  int64_t steps = 50, width = 512, height = 512;
  double guidanceScale = 2.5, eta = 0.0;
  double guidedFrom = 0.0, guidedTo = 1.0;  // the guided calls, by their place between image (0) and noise (1)
  int64_t reuseFeatures = 1;                // the UNet's inner levels are computed at every so many calls
  std::string scheduler = "pndm";
  std::string globalPrompt = "a vfx with sks", anomalyPrompt = "sks", negativePrompt;
  uint64_t seed = 0;
  // Start from the training images' latent levels (with a background: the whole image from its level) instead of pure
  // noise; needs `levels`. A schedule that ends short of pure noise lets the model read colour off its start
  // (arXiv 2305.08891), and a small base believes it.
  bool matchLevels = false;
  at::Tensor levels;  // (2, branches, channels), as train::PairLatents::levels gives them
  // With layouts: how much of the way to noise a pair starts, 0 (as the layout is) .. 1.
  double strength = 0.5;
  bool attention = false;    // record what the anomaly branch looks at
  bool fastDecoder = false;  // decode with the base's TAESD
};

struct SampledPair {
  int64_t index = 0;
  at::Tensor image, part;  // (H, W, 3) uint8 on the CPU
  at::Tensor attention;    // (H, W) uint8, or undefined where it was not asked for
  at::Tensor mask;         // (H, W) uint8, 255 inside the defect; undefined but for variations of layouts
};

// Pairs whose bytes may still be on their way from the device.
struct DrawnPairs {
  std::vector<SampledPair> pairs;
  std::unique_ptr<DeviceMark> arrived;  // null where they are there
  FiniteChecks checks;
  // The pairs, once they are there. May be called once. Throws ERR_NON_FINITE naming the step or the decoder whose
  // numbers are not finite, unless what drew them has thrown it already.
  std::vector<SampledPair> take();
};

// What a batch is drawn from; all must outlive it.
struct PairSource {
  const model::BaseModel& base;
  const dual::Adapter& adapter;
  dual::PairModel& unet;                     // of this base and this adapter
  const Backgrounds* backgrounds = nullptr;  // for adapters with background compensation, and for them only
  const Layouts* layouts = nullptr;          // pairs are variations of these, and as large: a multiple of the options
  dual::PartFill fill = dual::PartFill::kGrey;  // of the layouts' parts
  bool oneBranch = false;                       // the adapter draws no parts: they are cut out of the images
  bool backgroundScaled = true;                 // how the adapter learned backgrounds, for those of layouts
};

class PairBatch {
 public:
  // The pairs of these indices. Pair k of a seed starts from the same noise whatever batch it is in. Throws
  // ERR_INVALID_OPTION for a size, a scheduler or backgrounds that do not fit, and for fastDecoder without one.
  PairBatch(const PairSource& source, SampleOptions options, std::vector<int64_t> indices);
  ~PairBatch();

  // Of the scheduler's calls; some schedulers call more often than they have steps.
  const std::vector<double>& timesteps() const { return scheduler_->timesteps(); }
  size_t position() const { return position_; }
  bool isDone() const { return position_ == timesteps().size(); }

  // (B * 2, 4, h, w) float32, as the scheduler keeps them; may be changed between steps.
  const at::Tensor& latents();
  void setLatents(const at::Tensor& latents);
  // Throws ERR_NON_FINITE naming the step, on a device but at expectFinite, decode or DrawnPairs::take.
  void step();
  // Waits for the device.
  void expectFinite() const { checks_.expect(); }

  // The pairs as they are now; attention maps are the mean of the steps so far.
  DrawnPairs decode(const Task& task) const;

 private:
  at::Tensor drawNoise(bool oneBranch = false);
  at::Tensor encodePrompts() const;
  at::Tensor withLevels(const at::Tensor& noise) const;
  void checkLayouts() const;
  void addBackgrounds();
  void addLayoutBackgrounds();
  void startFromLayouts();
  at::Tensor decoded(const at::Tensor& latents, FiniteChecks& checks) const;
  std::vector<SampledPair> decodePairs(size_t from, size_t count, FiniteChecks& checks) const;
  SampledPair vary(size_t row, FiniteChecks& checks) const;

  PairSource source_;
  SampleOptions options_;
  std::vector<int64_t> indices_;
  std::vector<int64_t> latentShape_;  // (2, 4, h, w), of one pair
  std::vector<at::Generator> generators_;
  std::unique_ptr<diffusion::Scheduler> scheduler_;
  std::unique_ptr<dual::AttentionMaps> attention_;
  DenoiseInputs inputs_;
  at::Tensor latents_;   // undefined where pairs stay as their layouts are
  FiniteChecks checks_;  // of the prompts, the layouts and the steps so far
  size_t position_ = 0, firstPosition_ = 0;
  model::InnerFeatures inner_;
  std::unique_ptr<LayoutBatch> layouts_;
  std::unique_ptr<BackgroundPass> background_;
};

// All of it: every step, then decoding. `onStep` hears (step, steps). On CUDA it returns when all of that is on its
// way.
DrawnPairs drawPairs(const PairSource& source, const SampleOptions& options, const std::vector<int64_t>& indices,
                     const Task& task, const std::function<void(size_t step, size_t steps)>& onStep = {});
// The same, and waits.
std::vector<SampledPair> samplePairs(const PairSource& source, const SampleOptions& options,
                                     const std::vector<int64_t>& indices, const Task& task,
                                     const std::function<void(size_t step, size_t steps)>& onStep = {});

// (N, 3, H, W) in [-1, 1] to (N, H, W, 3) uint8, rounded to the nearest level.
at::Tensor toBytes(const at::Tensor& pixelValues);

// Throws ERR_INVALID_OPTION unless both sides are positive multiples of what the model needs.
void checkResolution(const model::BaseModel& base, int64_t width, int64_t height);

}  // namespace dan::sample
