#include "sample/pair_batch.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include "core/error.h"
#include "sample/batch_background.h"
#include "sample/blank_condition.h"

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

PairBatch::PairBatch(const PairSource& source, SampleOptions options, std::vector<int64_t> indices,
                     const std::optional<GroundInputs>& ground)
    : source_(source),
      options_(std::move(options)),
      indices_(std::move(indices)),
      noise_({source_.base, options_.width, options_.height, options_.seed, indices_}) {
  RECORD_USER_SCOPE("begin a batch");
  const at::NoGradGuard noGrad;
  const model::BaseModel& base = source_.base;
  checkResolution(base, options_.width, options_.height);
  scheduler_ = diffusion::makeScheduler(options_.scheduler, base.schedule, options_.steps, options_.eta);
  checkSource();
  inputs_.initialLatents = noise_.draw();
  if (ground) {
    begin(*ground);
  } else {
    inputs_.condition = blankPairCondition(base, source_.partFill, options_.height, options_.width,
                                           static_cast<int64_t>(indices_.size()));
  }
  if (!inputs_.layout.defined()) inputs_.initialLatents = noiseAroundLatentMean(inputs_.initialLatents, ground);
  encodePrompts();
  inputs_.noise = [this] { return noise_.draw(); };
  if (source_.backgrounds != nullptr) addBackgrounds();
  if (options_.attention) {
    attention_ = std::make_unique<dual::AttentionMaps>(static_cast<int64_t>(indices_.size()), noise_.latentShape()[2],
                                                       noise_.latentShape()[3], anomalyTokens(base, options_.prompts));
  }
  latents_ = startLatents(*scheduler_, inputs_);
}

PairBatch::~PairBatch() = default;

void PairBatch::checkSource() const {
  const bool needsBackground = source_.adapter.settings().background != dual::BackgroundMode::kOff;
  if (needsBackground && source_.backgrounds == nullptr) {
    fail(kInvalidOption, "The adapter was trained with background compensation: it needs background images to sample");
  }
  if (!needsBackground && source_.backgrounds != nullptr) {
    fail(kInvalidOption, "The adapter was trained without background compensation: it cannot use background images");
  }
  if (source_.backgrounds != nullptr) {
    const std::vector<int64_t>& shape = noise_.latentShape();
    if (source_.backgrounds->latentSize() != at::IntArrayRef(shape).slice(2)) {
      fail(kInvalidOption, "Expected background images of ", options_.width, " x ", options_.height,
           ", as large as the pairs");
    }
  }
  if (options_.fastDecoder && !source_.base.taesd) {
    fail(kInvalidOption, "Expected vae for decoder but received taesd: the model was loaded without a TAESD decoder");
  }
}

void PairBatch::begin(const GroundInputs& ground) {
  const int64_t remaining = remainingSteps(ground.strength, options_.steps);
  if (ground.strength < 1) {
    scheduler_->keepLast(remaining);
    inputs_.layout = ground.layout;
  }
  const at::Tensor place = forBranches(ground.place);
  if (source_.base.isInpainting()) {
    inputs_.condition = {place, ground.maskedLatents};
  } else {
    inputs_.ground = {ground.latents, noise_.draw(), place};
  }
}

// Returns (B * 2, 4, h, w) of unit variance.
at::Tensor PairBatch::noiseAroundLatentMean(const at::Tensor& noise, const std::optional<GroundInputs>& ground) const {
  if (!options_.startFromLatentMean || !source_.latentMeans.defined()) return noise;
  at::Tensor backgroundMeans;
  if (ground) backgroundMeans = dual::unpackBranches(ground->latents).select(1, dual::kGlobal).mean({2, 3});
  if (source_.backgrounds != nullptr) {
    std::vector<int64_t> shown;
    for (const int64_t index : indices_) shown.push_back(source_.backgrounds->of(index));
    backgroundMeans = source_.backgrounds->latentMeans(shown);
  }
  const auto first = static_cast<int64_t>(timesteps().front());
  const double alphaCumprod = diffusion::NoiseSchedule(source_.base.schedule).alphaCumprod(first);
  return startFromLatentMeans(noise, {source_.latentMeans, backgroundMeans, alphaCumprod});
}

void PairBatch::encodePrompts() {
  inputs_.encoderHiddenStates = sample::encodePrompts(source_.base, source_.adapter, options_.prompts,
                                                      static_cast<int64_t>(indices_.size()), isGuided());
  checks_.add(inputs_.encoderHiddenStates, "The text encoder");
  if (isGuided()) inputs_.conditionalStates = inputs_.encoderHiddenStates.chunk(2)[1];
  inputs_.guidanceScale = options_.guidanceScale;
  const auto timestepCount = static_cast<double>(source_.base.schedule.numTrainTimesteps);
  inputs_.guidedFrom = options_.guidedFrom * timestepCount;
  inputs_.guidedTo = options_.guidedTo * timestepCount;
}

void PairBatch::addBackgrounds() {
  const Prompts& prompts = options_.prompts;
  const std::string maker = c10::str(&source_.unet, "\n", prompts.global, "\n", prompts.negative);
  BackgroundInputs inputs = backgroundInputs({*source_.backgrounds, source_.base, noise_, indices_, isGuided(), maker});
  background_ = std::make_unique<BackgroundPass>(std::move(inputs), inputs_.encoderHiddenStates);
}

void PairBatch::setLatents(const at::Tensor& latents) {
  if (latents.sizes() != latents_.sizes()) {
    fail(kInvalidOption, "Expected latents of shape ", latents_.sizes(), " but received ", latents.sizes());
  }
  if (!allFinite(latents)) {
    fail(kInvalidOption, "Expected finite numbers for latents but received some that are not");
  }
  latents_ = latents.to(latents_.options());
}

void PairBatch::step() {
  RECORD_USER_SCOPE("denoise");
  TORCH_CHECK(!isDone(), "every step is done");
  inner_.reuse = static_cast<int64_t>(position_) % options_.reuseFeatures != 0;
  // The setting applies to this call only, because other batches may make calls in between and may outlive this one.
  const dual::PairModel::Extras extras(source_.unet, attention_.get(), options_.reuseFeatures > 1 ? &inner_ : nullptr);
  inputs_.background = background_.get();
  inputs_.reusesBackground = inner_.reuse;
  latents_ = denoiseStep(source_.unet, *scheduler_, inputs_, position_++, latents_);
  checks_.add(latents_, c10::str("Denoising step ", position_, " of ", timesteps().size()));
}

DrawnPairs PairBatch::decode(const Task& task) const {
  RECORD_USER_SCOPE("decode");
  const at::NoGradGuard noGrad;
  DecodeInputs inputs{source_.base, indices_, latents_, {}, options_.fastDecoder, source_.isOneBranch};
  if (attention_ && position_ > 0) inputs.attention = attention_->maps(options_.height, options_.width);
  return decodePairs(inputs, checks_, task);
}

DrawnPairs drawPairs(const PairSource& source, const SampleOptions& options, const std::vector<int64_t>& indices,
                     const Task& task, const std::function<void(size_t, size_t)>& onStep) {
  PairBatch batch(source, options, indices);
  while (!batch.isDone()) {
    task.checkCancelled();
    batch.step();
    if (onStep) onStep(batch.position(), batch.timesteps().size());
  }
  return batch.decode(task);
}

std::vector<SampledPair> samplePairs(const PairSource& source, const SampleOptions& options,
                                     const std::vector<int64_t>& indices, const Task& task,
                                     const std::function<void(size_t, size_t)>& onStep) {
  return drawPairs(source, options, indices, task, onStep).take();
}

}  // namespace dan::sample
