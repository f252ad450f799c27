#include "sample/pair_sampler.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "dual/dual_unet.h"
#include "dual/folded_unet.h"

namespace dan::sample {

void checkResolution(const model::BaseModel& base, int64_t width, int64_t height) {
  const int64_t multiple = base.resolutionMultiple();
  for (const int64_t side : {width, height}) {
    if (side < multiple || side % multiple != 0 || side > 4096) {
      fail(kInvalidOption, "Expected a multiple of ", multiple, " up to 4096 for resolution but received ", side,
           " (this base model halves its images ", multiple, "-fold)");
    }
  }
}

at::Tensor toBytes(const at::Tensor& pixelValues) {
  return pixelValues.to(at::kFloat)
      .add(1)
      .mul(127.5)
      .clamp(0, 255)
      .round()
      .to(at::kByte)
      .permute({0, 2, 3, 1})
      .contiguous()
      .cpu();
}

PairSampler::PairSampler(const model::BaseModel& base, const dual::Adapter& adapter, SampleOptions options,
                         const dual::FoldedAdapter* folded)
    : base_(base), adapter_(adapter), options_(std::move(options)), folded_(folded) {
  checkResolution(base, options_.width, options_.height);
  diffusion::makeScheduler(options_.scheduler, base.schedule, options_.steps, options_.eta);  // throws early
}

at::Tensor PairSampler::encodePrompts(int64_t pairs) const {
  const at::NoGradGuard noGrad;
  const auto encode = [&](const std::string& global, const std::string& anomaly) {
    const at::Tensor encoded = base_.textEncoder->forward(base_.tokenize({global, anomaly}), adapter_.textHook());
    return encoded.repeat({pairs, 1, 1});  // rows (pair, branch)
  };
  const at::Tensor conditional = encode(options_.globalPrompt, options_.anomalyPrompt);
  if (options_.guidanceScale <= 1.0) return conditional;
  return at::cat({encode(options_.negativePrompt, options_.negativePrompt), conditional});
}

// What a training image of an ordinary level looks like at `timestep`, but for the noise's own level, which is what
// would be mistaken for it. The noise's level decides instead where among the training images' levels this pair lies.
// `backgroundLevels`, (B, 4) or undefined, are where the whole images are to lie.
at::Tensor PairSampler::withLevels(const at::Tensor& noise, int64_t timestep,
                                   const at::Tensor& backgroundLevels) const {
  const double a = diffusion::NoiseSchedule(base_.schedule).alphaCumprod(timestep);
  const at::Tensor level = noise.mean({2, 3}, true);
  const double positions = static_cast<double>(noise.size(2) * noise.size(3));
  const auto rows = [&](int64_t which) {
    return options_.levels[which]
        .to(noise.options())
        .repeat({noise.size(0) / dual::kNumBranches, 1})
        .unsqueeze(-1)
        .unsqueeze(-1);
  };
  at::Tensor target = rows(0) + rows(1) * level * std::sqrt(positions);
  if (backgroundLevels.defined()) {
    dual::unpackBranches(target).select(1, dual::kGlobal).copy_(backgroundLevels.unsqueeze(-1).unsqueeze(-1));
  }
  return std::sqrt(a) * target + std::sqrt(1 - a) * (noise - level);
}

void PairSampler::addBackgrounds(DenoiseInputs& inputs, const std::vector<int64_t>& indices,
                                 const Backgrounds& backgrounds, std::vector<at::Generator>& generators) const {
  if (backgrounds.latentSize() != inputs.initialLatents.sizes().slice(2)) {
    fail(kInvalidOption, "Expected background images of ", options_.width, " x ", options_.height,
         ", as large as the pairs");
  }
  const bool fresh = backgrounds.options().freshNoise;
  const bool guided = options_.guidanceScale > 1.0;
  std::vector<int64_t> shown;  // the backgrounds of this batch; with fresh noise one a pair, because each has its own
  std::vector<int64_t> ofPair;
  const auto use = [&](int64_t which) {
    const auto found = std::find(shown.begin(), shown.end(), which);
    if (fresh || found == shown.end()) {
      ofPair.push_back(static_cast<int64_t>(shown.size()));
      shown.push_back(which);
    } else {
      ofPair.push_back(found - shown.begin());
    }
  };
  if (guided) {
    for (size_t i = 0; i < indices.size(); ++i) use(-1);
  }
  for (const int64_t index : indices) use(backgrounds.of(index));
  const at::Tensor latents = backgrounds.latents(shown), fixedNoise = backgrounds.noise(shown);
  const std::vector<int64_t> one = {1, latents.size(1), latents.size(2), latents.size(3)};
  inputs.backgroundOfPair = ofPair;
  inputs.noisyBackground = [this, latents, fixedNoise, fresh, one, guided, &generators](size_t, double timestep) {
    at::Tensor noise = fixedNoise;
    if (fresh) {
      std::vector<at::Tensor> rows;
      for (int64_t half = 0; half < (guided ? 2 : 1); ++half) {
        for (at::Generator& generator : generators) rows.push_back(randn(one, generator));
      }
      noise = at::cat(rows).to(latents.device());
    }
    const at::Tensor t = at::full({latents.size(0)}, static_cast<int64_t>(timestep), at::kLong);
    return diffusion::NoiseSchedule(base_.schedule).addNoise(latents, noise, t);
  };
}

std::vector<SampledPair> PairSampler::sample(const std::vector<int64_t>& indices, const Task& task,
                                             const std::function<void(size_t, size_t)>& onStep,
                                             const Backgrounds* backgrounds) const {
  const at::NoGradGuard noGrad;
  const bool needsBackground = adapter_.settings().background != dual::BackgroundMode::kOff;
  if (needsBackground && backgrounds == nullptr) {
    fail(kInvalidOption, "The adapter was trained with background compensation: it needs background images to sample");
  }
  if (!needsBackground && backgrounds != nullptr) {
    fail(kInvalidOption, "The adapter was trained without background compensation: it cannot use background images");
  }
  const auto pairs = static_cast<int64_t>(indices.size());
  const int64_t factor = base_.vae->config().downscale();
  const std::vector<int64_t> shape = {dual::kNumBranches, base_.vae->config().latentChannels, options_.height / factor,
                                      options_.width / factor};
  std::vector<at::Generator> generators;
  for (const int64_t index : indices) generators.push_back(makeGenerator(options_.seed, static_cast<uint64_t>(index)));
  const auto draw = [&] {
    std::vector<at::Tensor> rows;
    for (at::Generator& generator : generators) rows.push_back(randn(shape, generator));
    return at::cat(rows).to(base_.device());
  };

  const auto scheduler = diffusion::makeScheduler(options_.scheduler, base_.schedule, options_.steps, options_.eta);
  DenoiseInputs inputs;
  inputs.initialLatents = draw();
  if (options_.matchLevels && options_.levels.defined()) {
    std::vector<int64_t> shown;
    for (const int64_t index : indices) shown.push_back(backgrounds == nullptr ? -1 : backgrounds->of(index));
    inputs.initialLatents = withLevels(inputs.initialLatents, static_cast<int64_t>(scheduler->timesteps().front()),
                                       backgrounds == nullptr ? at::Tensor() : backgrounds->levels(shown));
  }
  inputs.encoderHiddenStates = encodePrompts(pairs);
  inputs.guidanceScale = options_.guidanceScale;
  inputs.noise = draw;
  if (backgrounds != nullptr) addBackgrounds(inputs, indices, *backgrounds, generators);
  inputs.onStep = [&](size_t step, size_t steps, const at::Tensor&) {
    if (onStep) onStep(step, steps);
  };
  std::unique_ptr<dual::PairModel> unet;
  if (folded_ != nullptr) {
    unet = std::make_unique<dual::FoldedUnet>(*base_.unet, *folded_);
  } else {
    unet = std::make_unique<dual::DualUnet>(*base_.unet, adapter_);
  }
  const at::Tensor latents = denoise(*unet, *scheduler, inputs, task);

  std::vector<SampledPair> result;
  const at::Tensor scaled = dual::unpackBranches(latents / base_.vae->config().scalingFactor);
  for (int64_t i = 0; i < pairs; ++i) {  // one pair at a time bounds the decoder's memory
    task.checkCancelled();
    const at::Tensor bytes = toBytes(base_.vae->decode(scaled[i]));
    result.push_back({indices[i], bytes[dual::kGlobal].contiguous(), bytes[dual::kAnomaly].contiguous()});
  }
  return result;
}

}  // namespace dan::sample
