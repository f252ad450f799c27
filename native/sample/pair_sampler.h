// Pairs from an adapter: prompts, noise, denoising, decoding.
#pragma once

#include <cstdint>
#include <vector>

#include "dual/folded_adapter.h"
#include "model/base_model.h"
#include "sample/backgrounds.h"
#include "sample/denoise.h"

namespace dan::sample {

struct SampleOptions {
  int64_t steps = 50, width = 512, height = 512;
  double guidanceScale = 2.5, eta = 0.0;
  std::string scheduler = "pndm";
  std::string globalPrompt = "a vfx with sks", anomalyPrompt = "sks", negativePrompt;
  uint64_t seed = 0;
  // Start from the training images' latent levels (with a background: the whole image from its level) instead of pure
  // noise; needs `levels`. A schedule that ends short of
  // pure noise lets the model read colour off its start (arXiv 2305.08891), and a small base believes it.
  bool matchLevels = false;
  at::Tensor levels;  // (2, branches, channels), as train::PairLatents::levels gives them
};

struct SampledPair {
  int64_t index = 0;
  at::Tensor image, part;  // (H, W, 3) uint8 on the CPU
};

class PairSampler {
 public:
  // All must outlive this object. `folded` is the adapter's, where it was worth folding. Throws ERR_INVALID_OPTION for
  // a size or scheduler that the model cannot do.
  PairSampler(const model::BaseModel& base, const dual::Adapter& adapter, SampleOptions options,
              const dual::FoldedAdapter* folded = nullptr);

  // The pairs of these indices, in one batch. Pair k of a seed starts from the same noise whatever batch it is in.
  // `backgrounds` are needed by adapters with background compensation, and by them only; throws ERR_INVALID_OPTION.
  std::vector<SampledPair> sample(const std::vector<int64_t>& indices, const Task& task,
                                  const std::function<void(size_t step, size_t steps)>& onStep = {},
                                  const Backgrounds* backgrounds = nullptr) const;

 private:
  at::Tensor encodePrompts(int64_t pairs) const;
  void addBackgrounds(DenoiseInputs& inputs, const std::vector<int64_t>& indices, const Backgrounds& backgrounds,
                      std::vector<at::Generator>& generators) const;
  at::Tensor withLevels(const at::Tensor& noise, int64_t timestep, const at::Tensor& backgroundLevels) const;
  const model::BaseModel& base_;
  const dual::Adapter& adapter_;
  SampleOptions options_;
  const dual::FoldedAdapter* folded_;
};

// (N, 3, H, W) in [-1, 1] to (N, H, W, 3) uint8, rounded to the nearest level.
at::Tensor toBytes(const at::Tensor& pixelValues);

// Throws ERR_INVALID_OPTION unless both sides are positive multiples of what the model needs.
void checkResolution(const model::BaseModel& base, int64_t width, int64_t height);

}  // namespace dan::sample
