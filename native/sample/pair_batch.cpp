#include "sample/pair_batch.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace dan::sample {

namespace {

// Of the seed: pairs count from 0, and backgrounds from the other end.
constexpr uint64_t kZeroBackgroundStream = (uint64_t{1} << 62);

// Pairs that are decoded at once: on a CPU the decoder's memory counts more than calls do.
constexpr size_t kDecodedOnCpu = 1, kDecodedOnDevice = 4;

// (N, 3, H, W) in [-1, 1] to (N, H, W, 3) uint8 where it is.
at::Tensor toLevels(const at::Tensor& pixelValues) {
  return pixelValues.to(at::kFloat)
      .add(1)
      .mul(127.5)
      .clamp(0, 255)
      .round()
      .to(at::kByte)
      .permute({0, 2, 3, 1})
      .contiguous();
}

// From CUDA without waiting: DrawnPairs::arrived tells when it is there.
at::Tensor sentToHost(const at::Tensor& x) {
  if (!x.is_cuda()) return x.cpu();
  return at::empty(x.sizes(), x.options().device(at::kCPU).pinned_memory(true)).copy_(x, /*non_blocking=*/true);
}

}  // namespace

void checkResolution(const model::BaseModel& base, int64_t width, int64_t height) {
  const int64_t multiple = base.resolutionMultiple();
  for (const int64_t side : {width, height}) {
    if (side < multiple || side % multiple != 0 || side > 4096) {
      fail(kInvalidOption, "Expected a multiple of ", multiple, " up to 4096 for resolution but received ", side,
           " (this base model halves its images ", multiple, "-fold)");
    }
  }
}

at::Tensor toBytes(const at::Tensor& pixelValues) { return toLevels(pixelValues).cpu(); }

std::vector<SampledPair> DrawnPairs::take() {
  if (arrived) arrived->wait();
  checks.expect();
  return std::move(pairs);
}

PairBatch::PairBatch(const PairSource& source, SampleOptions options, std::vector<int64_t> indices)
    : source_(source), options_(std::move(options)), indices_(std::move(indices)) {
  RECORD_USER_SCOPE("begin a batch");
  const at::NoGradGuard noGrad;
  const model::BaseModel& base = source_.base;
  checkResolution(base, options_.width, options_.height);
  scheduler_ = diffusion::makeScheduler(options_.scheduler, base.schedule, options_.steps, options_.eta);
  const bool needsBackground = source_.adapter.settings().background != dual::BackgroundMode::kOff;
  if (needsBackground && source_.backgrounds == nullptr && source_.layouts == nullptr) {
    fail(kInvalidOption, "The adapter was trained with background compensation: it needs background images to sample");
  }
  if (source_.layouts != nullptr) checkLayouts();
  if (source_.oneBranch && source_.layouts == nullptr) {
    fail(kInvalidOption, "The adapter was trained with one branch, which draws no parts: it can only draw variations");
  }
  if (!needsBackground && source_.backgrounds != nullptr) {
    fail(kInvalidOption, "The adapter was trained without background compensation: it cannot use background images");
  }
  if (options_.fastDecoder && !base.taesd) {
    fail(kInvalidOption, "Expected vae for decoder but received taesd: the model was loaded without a TAESD decoder");
  }
  const int64_t factor = base.vae->config().downscale();
  latentShape_ = {dual::kNumBranches, base.vae->config().latentChannels, options_.height / factor,
                  options_.width / factor};
  for (const int64_t index : indices_)
    generators_.push_back(makeGenerator(options_.seed, static_cast<uint64_t>(index)));

  inputs_.initialLatents = drawNoise();
  if (options_.matchLevels && options_.levels.defined()) inputs_.initialLatents = withLevels(inputs_.initialLatents);
  inputs_.encoderHiddenStates = encodePrompts();
  checks_.add(inputs_.encoderHiddenStates, "The text encoder");
  inputs_.guidanceScale = options_.guidanceScale;
  const auto trained = static_cast<double>(base.schedule.numTrainTimesteps);
  inputs_.guidedFrom = options_.guidedFrom * trained;
  inputs_.guidedTo = options_.guidedTo * trained;
  if (options_.guidanceScale > 1.0) inputs_.conditionalStates = inputs_.encoderHiddenStates.chunk(2)[1];
  inputs_.noise = [this] { return drawNoise(); };
  if (source_.backgrounds != nullptr) addBackgrounds();
  if (options_.attention) {
    std::vector<int64_t> words(
        static_cast<size_t>(std::max<int64_t>(base.tokenizer->countTokens(options_.anomalyPrompt), 1)));
    for (size_t i = 0; i < words.size(); ++i) words[i] = static_cast<int64_t>(i) + 1;  // behind the start token
    attention_ = std::make_unique<dual::AttentionMaps>(static_cast<int64_t>(indices_.size()), latentShape_[2],
                                                       latentShape_[3], words);
  }
  latents_ = inputs_.initialLatents * scheduler_->initNoiseSigma();
  if (source_.layouts == nullptr) return;
  layouts_ = std::make_unique<LayoutBatch>(base, *source_.layouts, indices_, source_.fill,
                                           source_.layouts->width() / options_.width);
  if (needsBackground) addLayoutBackgrounds();
  startFromLayouts();
}

PairBatch::~PairBatch() = default;

// (B * 2, 4, h, w), or (B, 4, h, w) for one branch.
at::Tensor PairBatch::drawNoise(bool oneBranch) {
  std::vector<int64_t> shape = latentShape_;
  if (oneBranch) shape[0] = 1;
  std::vector<at::Tensor> rows;
  for (at::Generator& generator : generators_) rows.push_back(randn(shape, generator));
  return at::cat(rows).to(source_.base.device());
}

at::Tensor PairBatch::encodePrompts() const {
  const model::BaseModel& base = source_.base;
  const auto encode = [&](const std::string& global, const std::string& anomaly) {
    const at::Tensor encoded = base.textEncoder->forward(base.tokenize({global, anomaly}), source_.adapter.textHook());
    return encoded.repeat({static_cast<int64_t>(indices_.size()), 1, 1});  // rows (pair, branch)
  };
  const at::Tensor conditional = encode(options_.globalPrompt, options_.anomalyPrompt);
  if (options_.guidanceScale <= 1.0) return conditional;
  return at::cat({encode(options_.negativePrompt, options_.negativePrompt), conditional});
}

// What a training image of an ordinary level looks like at the first timestep, but for the noise's own level, which is
// what would be mistaken for it. The noise's level decides instead where among the training images' levels this pair
// lies; where it has a background, its whole image lies at that one's level.
at::Tensor PairBatch::withLevels(const at::Tensor& noise) const {
  const auto timestep = static_cast<int64_t>(timesteps().front());
  const double a = diffusion::NoiseSchedule(source_.base.schedule).alphaCumprod(timestep);
  const at::Tensor level = noise.mean({2, 3}, true);
  const double positions = static_cast<double>(noise.size(2) * noise.size(3));
  const auto rows = [&](int64_t which) {
    return options_.levels[which]
        .to(noise.options())
        .repeat({noise.size(0) / dual::kNumBranches, 1})
        .unsqueeze(-1)
        .unsqueeze(-1);
  };
  const at::Tensor target = rows(0) + rows(1) * level * std::sqrt(positions);
  if (source_.backgrounds != nullptr) {
    std::vector<int64_t> shown;
    for (const int64_t index : indices_) shown.push_back(source_.backgrounds->of(index));
    dual::unpackBranches(target)
        .select(1, dual::kGlobal)
        .copy_(source_.backgrounds->levels(shown).unsqueeze(-1).unsqueeze(-1));
  }
  return std::sqrt(a) * target + std::sqrt(1 - a) * (noise - level);
}

void PairBatch::checkLayouts() const {
  if (source_.backgrounds != nullptr) {
    fail(kInvalidOption, "Variations have the backgrounds of their layouts: leave out the background images");
  }
  const int64_t width = source_.layouts->width(), height = source_.layouts->height();
  if (width % options_.width != 0 || height % options_.height != 0 ||
      width / options_.width != height / options_.height) {
    fail(kInvalidOption, "Expected layouts of ", options_.width, " x ", options_.height,
         " or a multiple, but they are ", width, " x ", height);
  }
  if (options_.scheduler != "ddim" && options_.scheduler != "ddpm") {
    fail(kInvalidOption, "Expected ddim or ddpm for scheduler with layouts but received ", options_.scheduler,
         ": the others remember calls that a variation leaves out");
  }
}

void PairBatch::addBackgrounds() {
  const Backgrounds& backgrounds = *source_.backgrounds;
  if (backgrounds.latentSize() != inputs_.initialLatents.sizes().slice(2)) {
    fail(kInvalidOption, "Expected background images of ", options_.width, " x ", options_.height,
         ", as large as the pairs");
  }
  const bool fresh = backgrounds.options().freshNoise;
  const bool guided = options_.guidanceScale > 1.0;
  std::vector<int64_t> shown;  // the backgrounds of this batch; with fresh noise one a pair, because each has its own
  BackgroundInputs inputs;
  const auto use = [&](int64_t which) {
    const auto found = std::find(shown.begin(), shown.end(), which);
    if (fresh || found == shown.end()) {
      inputs.ofPair.push_back(static_cast<int64_t>(shown.size()));
      shown.push_back(which);
    } else {
      inputs.ofPair.push_back(found - shown.begin());
    }
  };
  if (guided) {
    for (size_t i = 0; i < indices_.size(); ++i) use(-1);
  }
  for (const int64_t index : indices_) use(backgrounds.of(index));
  const at::Tensor latents = backgrounds.latents(shown), fixedNoise = backgrounds.noise(shown);
  inputs.noisy = [this, latents, fixedNoise, fresh, guided](size_t, double timestep) {
    at::Tensor noise = fixedNoise;
    if (fresh) noise = guided ? at::cat({drawNoise(true), drawNoise(true)}) : drawNoise(true);
    const at::Tensor t = at::full({latents.size(0)}, static_cast<int64_t>(timestep), at::kLong);
    return diffusion::NoiseSchedule(source_.base.schedule).addNoise(latents, noise, t);
  };
  if (!fresh && backgrounds.keptFeatures() != nullptr) {
    inputs.store = backgrounds.keptFeatures();
    inputs.numbers = shown;
    inputs.store->begin(c10::str(&source_.unet, "\n", options_.globalPrompt, "\n", options_.negativePrompt), shown);
  }
  background_ = std::make_unique<BackgroundPass>(std::move(inputs), inputs_.encoderHiddenStates);
}

// Each pair's background is its layout with the defect black. Noise is fixed and, like all of a pair's noise, its own.
void PairBatch::addLayoutBackgrounds() {
  const model::BaseModel& base = source_.base;
  const double scale = source_.backgroundScaled ? base.vae->config().scalingFactor : 1.0;
  std::vector<at::Tensor> latents, noise;
  BackgroundInputs inputs;
  if (options_.guidanceScale > 1.0) {  // the unconditional half has the zero image, as published
    const at::Tensor zeros = at::zeros({1, 3, options_.height, options_.width}).to(base.device());
    latents.push_back(base.vae->encode(zeros).mean.to(at::kFloat) * scale);
    noise.push_back(randn(latents[0].sizes(), makeGenerator(options_.seed, kZeroBackgroundStream)).to(base.device()));
    inputs.ofPair.assign(indices_.size(), 0);
  }
  for (size_t i = 0; i < indices_.size(); ++i) {
    inputs.ofPair.push_back(static_cast<int64_t>(latents.size() + i));
  }
  latents.push_back(layouts_->encodeBackgrounds() * scale);
  noise.push_back(drawNoise(/*oneBranch=*/true));
  inputs.noisy = [this, all = at::cat(latents), noise = at::cat(noise)](size_t, double timestep) {
    const at::Tensor t = at::full({all.size(0)}, static_cast<int64_t>(timestep), at::kLong);
    return diffusion::NoiseSchedule(source_.base.schedule).addNoise(all, noise, t.to(all.device()));
  };
  background_ = std::make_unique<BackgroundPass>(std::move(inputs), inputs_.encoderHiddenStates);
}

// Noises the layouts' latents to the timestep that `strength` names and leaves out the calls before it (SDEdit, arXiv
// 2108.01073).
void PairBatch::startFromLayouts() {
  const model::BaseModel& base = source_.base;
  const size_t calls = timesteps().size();
  position_ = calls - static_cast<size_t>(std::llround(options_.strength * static_cast<double>(calls)));
  firstPosition_ = position_;
  latents_.reset();
  if (isDone()) return;
  const at::Tensor& encoded = layouts_->latents();
  checks_.add(encoded, model::kVaeEncoder);
  const at::Tensor timestep = at::full({encoded.size(0)}, static_cast<int64_t>(timesteps()[position_]), at::kLong);
  const at::Tensor noise = drawNoise();
  latents_ = diffusion::NoiseSchedule(base.schedule).addNoise(encoded, noise, timestep.to(base.device()));
}

const at::Tensor& PairBatch::latents() {
  const at::NoGradGuard noGrad;
  return latents_.defined() ? latents_ : layouts_->latents();
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
  const auto since = static_cast<int64_t>(position_ - firstPosition_);
  inner_.reuse = since % options_.reuseFeatures != 0;
  // For this call alone: other batches take turns with this one, and may outlive it.
  const dual::PairModel::Extras extras(source_.unet, attention_.get(), options_.reuseFeatures > 1 ? &inner_ : nullptr);
  inputs_.background = background_.get();
  inputs_.reusesBackground = inner_.reuse;
  latents_ = denoiseStep(source_.unet, *scheduler_, inputs_, position_++, latents_);
  checks_.add(latents_, c10::str("Denoising step ", position_, " of ", timesteps().size()));
}

at::Tensor PairBatch::decoded(const at::Tensor& latents, FiniteChecks& checks) const {
  const model::BaseModel& base = source_.base;
  const at::Tensor pixels =
      options_.fastDecoder ? base.taesd->decode(latents) : base.vae->decode(latents / base.vae->config().scalingFactor);
  checks.add(pixels, options_.fastDecoder ? model::kTaesdDecoder : model::kVaeDecoder);
  return pixels;
}

SampledPair PairBatch::vary(size_t row, FiniteChecks& checks) const {
  at::Tensor pixels;
  if (latents_.defined()) {
    pixels = layouts_->varied(row, dual::unpackBranches(latents_)[static_cast<int64_t>(row)],
                              [&](const at::Tensor& x) { return decoded(x, checks); });
  } else {
    pixels = layouts_->pixels(row);
  }
  if (source_.oneBranch) pixels = layouts_->withCutPart(row, pixels);
  const at::Tensor bytes = sentToHost(toLevels(pixels));
  return {0, bytes[dual::kGlobal], bytes[dual::kAnomaly], {}, layouts_->mask(row).to(at::kByte).mul(255).contiguous()};
}

DrawnPairs PairBatch::decode(const Task& task) const {
  RECORD_USER_SCOPE("decode");
  const at::NoGradGuard noGrad;
  const at::Device device = source_.base.device();
  at::Tensor attention;
  if (attention_ && position_ > 0) {
    const int64_t height = layouts_ ? source_.layouts->height() : options_.height;
    const int64_t width = layouts_ ? source_.layouts->width() : options_.width;
    attention = sentToHost(attention_->maps(height, width).mul(255).round().to(at::kByte));
  }
  DrawnPairs drawn;
  drawn.checks = checks_;
  const size_t most = device.is_cpu() ? kDecodedOnCpu : kDecodedOnDevice;
  for (size_t from = 0; from < indices_.size(); from += most) {
    task.checkCancelled();
    for (SampledPair& pair : decodePairs(from, std::min(most, indices_.size() - from), drawn.checks)) {
      const size_t i = drawn.pairs.size();
      pair.index = indices_[i];
      if (attention.defined()) pair.attention = attention[static_cast<int64_t>(i)];
      drawn.pairs.push_back(std::move(pair));
    }
  }
  drawn.checks.send();
  if (device.is_cuda()) drawn.arrived = cudaState().services->mark(device);
  return drawn;
}

std::vector<SampledPair> PairBatch::decodePairs(size_t from, size_t count, FiniteChecks& checks) const {
  std::vector<SampledPair> pairs(count);
  if (layouts_) {
    for (size_t i = 0; i < count; ++i) pairs[i] = vary(from + i, checks);
    return pairs;
  }
  const at::Tensor byPair =
      dual::unpackBranches(latents_).narrow(0, static_cast<int64_t>(from), static_cast<int64_t>(count));
  const at::Tensor bytes = dual::unpackBranches(sentToHost(toLevels(decoded(byPair.flatten(0, 1), checks))));
  for (size_t i = 0; i < count; ++i) {
    const at::Tensor pair = bytes[static_cast<int64_t>(i)];
    pairs[i].image = pair[dual::kGlobal];
    pairs[i].part = pair[dual::kAnomaly];
  }
  return pairs;
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
