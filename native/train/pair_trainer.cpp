#include "train/pair_trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include <cmath>
#include <limits>

#include "core/finite.h"
#include "core/random.h"
#include "dual/adapter_metadata.h"
#include "dual/adapter_start.h"
#include "nn/gradient_checkpoint.h"
#include "train/checkpoint.h"

namespace dan::train {

namespace {

constexpr const char* kSaim = ".saim.";
constexpr const char* kSaimOutput = ".saim.o.";

// With its output layer at zero, SAIM adds nothing, whatever its other layers are.
void silenceSaim(TensorMap& adapter) {
  for (auto& [name, tensor] : adapter) {
    if (name.find(kSaimOutput) != std::string::npos) tensor = at::zeros_like(tensor);
  }
}

std::vector<int64_t> typesOf(const TrainingRegions& data) {
  std::vector<int64_t> types;
  for (const TrainingRegion& region : data.regions) types.push_back(region.type);
  return types;
}

}  // namespace

Branches parseBranches(const std::string& name) {
  if (name == "joint") return Branches::kJoint;
  if (name == "separate") return Branches::kSeparate;
  if (name == "one") return Branches::kGlobalAlone;
  fail(kInvalidOption, "Expected joint, separate or one for branches but received ", name);
}

PairTrainer::PairTrainer(const model::BaseModel& base, std::unique_ptr<LatentSource> latents, TrainOptions options)
    : base_(base),
      latents_(std::move(latents)),
      options_(std::move(options)),
      schedule_(base.schedule),
      types_(at::tensor(typesOf(latents_->data()), at::kLong)),
      scaler_(base.unet->dtype() == at::kHalf),
      generator_(makeGenerator(options_.seed, 1)),
      order_(typesOf(latents_->data()), static_cast<int64_t>(options_.globalPrompts.size())) {
  if (options_.anomalyPrompts.size() != options_.globalPrompts.size()) {
    fail(kInvalidOption, "Expected as many anomaly prompts as global prompts but received ",
         options_.anomalyPrompts.size(), " and ", options_.globalPrompts.size());
  }
  if (options_.background != dual::BackgroundMode::kOff && !latents_->hasForegrounds()) {
    fail(kInvalidOption, "Expected foregrounds for background ", dual::backgroundModeName(options_.background),
         " but received none");
  }
  inputIds_ = at::stack({base.tokenize(options_.globalPrompts), base.tokenize(options_.anomalyPrompts)}, 1);
  const dual::AdapterSettings settings{options_.rank, options_.background, 1.0};
  const model::TextConfig& text = base.textEncoder->config();
  TensorMap start = dual::Adapter::initialTensors(settings, *base.unet, text, makeGenerator(options_.seed));
  const std::string& initial = options_.initialAdapter;
  if (!initial.empty()) {
    const dual::AdapterFile file = dual::readAdapterFile(initial);
    dual::expectBase(file, base);
    start = dual::startFrom(std::move(start), file, initial);
  }
  const bool joined = options_.branches == Branches::kJoint;
  if (!joined) silenceSaim(start);
  adapter_ = std::make_unique<dual::Adapter>(std::move(start), settings, *base.unet, text,
                                             initial.empty() ? "a fresh adapter" : initial);
  adapter_->requireGradients();
  TensorMap trained;
  for (const auto& [name, tensor] : adapter_->parameters()) {
    const bool isText = name.rfind("text_encoder.", 0) == 0, isSaim = name.find(kSaim) != std::string::npos;
    if ((isText && !options_.trainTextEncoder) || (isSaim && !joined)) continue;
    trained[name] = tensor;
  }
  optimizer_ =
      std::make_unique<AdamW>(trained, AdamWOptions{0.9, 0.999, options_.weightDecay, 1e-8, options_.maxGradNorm});
}

at::Tensor PairTrainer::nextIndices() {
  std::vector<int64_t> indices;
  while (static_cast<int64_t>(indices.size()) < options_.batchSize) indices.push_back(order_.next(generator_));
  return at::tensor(indices, at::kLong);
}

// Returns the text states of the pairs, (B * 2, 77, D). Each prompt is encoded once, whatever the batch size.
at::Tensor PairTrainer::encodePrompts(const at::Tensor& index) const {
  const auto [types, position] = at::_unique(types_.index({index}), /*sorted=*/true, /*return_inverse=*/true);
  const at::Tensor encoded = base_.textEncoder->forward(inputIds_.index({types}).flatten(0, 1), adapter_->textHook());
  // Repeating and indexing sum the gradient in different orders, so a single type repeats, as version 0.1.0 did.
  if (types.size(0) == 1) return encoded.repeat({index.size(0), 1, 1});
  return dual::unpackBranches(encoded).index({position}).flatten(0, 1);
}

dual::BackgroundFeatures PairTrainer::backgroundFeatures(const dual::DualUnet& unet, const TrainingBatch& batch,
                                                         const at::Tensor& timesteps, const at::Tensor& encoded) {
  const double factor = options_.backgroundScaled ? base_.vae->config().scalingFactor : 1.0;
  const at::Tensor background = batch.background.sample(generator_) * factor;
  const at::Tensor noise = randn(background.sizes(), generator_).to(background.device());
  const at::Tensor noisy = schedule_.addNoise(background, noise, timesteps);
  return unet.backgroundFeatures(batch.backgroundCondition.appendTo(noisy), timesteps,
                                 dual::unpackBranches(encoded).select(1, dual::kGlobal));
}

at::Tensor PairTrainer::lossOfBatch() {
  RECORD_USER_SCOPE("train step: forward");
  const int64_t pairs = options_.batchSize;
  const at::Tensor index = nextIndices();
  const TrainingBatch batch = latents_->draw(index, generator_);
  const at::Device device = batch.latents.device();
  const at::Tensor noise = randn(batch.latents.sizes(), generator_).to(device);
  const at::Tensor share = at::rand({pairs}, generator_, at::TensorOptions().dtype(at::kDouble));
  const at::Tensor timesteps =
      at::floor(share.pow(1 / options_.timestepPower) * base_.schedule.numTrainTimesteps).to(at::kLong);
  const at::Tensor encoded = encodePrompts(index);
  PairLossOptions loss;
  loss.condition = batch.condition;
  if (options_.defectLossShare > 0) {
    loss.weights = defectWeights(batch.defect, options_.defectLossShare).repeat_interleave(dual::kNumBranches, 0);
  }
  if (options_.branches == Branches::kGlobalAlone) {
    const at::Tensor rows = globalRows(pairs, device);
    loss.weights = loss.weights.defined() ? loss.weights * rows : rows;
  }
  const nn::GradientCheckpointing checkpointing(options_.gradientCheckpointing);
  const dual::DualUnet unet(*base_.unet, *adapter_);
  dual::BackgroundFeatures features;
  if (options_.background != dual::BackgroundMode::kOff) {
    features = backgroundFeatures(unet, batch, timesteps, encoded);
    loss.background = &features;
  }
  return pairLoss(unet, schedule_, batch.latents, noise, timesteps, encoded, loss).loss;
}

at::Tensor PairTrainer::firstBackground() const {
  if (options_.background == dual::BackgroundMode::kOff) return {};
  const double factor = options_.backgroundScaled ? base_.vae->config().scalingFactor : 1.0;
  return latents_->firstBackground().sample(makeGenerator(options_.seed, 2)) * factor;
}

dual::AdapterFile PairTrainer::trainedAdapter(io::Metadata metadata) const {
  dual::setLatentMeans(metadata, latents_->latentMeans());
  dual::AdapterFile file = dual::copyOf(*adapter_, std::move(metadata), "The adapter in training");
  file.examples = latents_->examples();
  return file;
}

double PairTrainer::learningRateAt(int64_t step) const {
  if (step > options_.warmupSteps) return options_.learningRate;
  return options_.learningRate * static_cast<double>(step) / static_cast<double>(options_.warmupSteps);
}

StepResult PairTrainer::step(const Task& task) {
  RECORD_USER_SCOPE("train step");
  const at::Tensor generatorBefore = generatorState(generator_);
  const RegionOrder orderBefore = order_;
  try {
    return tryStep(task);
  } catch (...) {
    optimizer_->clearGradients();
    setGeneratorState(generator_, generatorBefore);
    order_ = orderBefore;
    throw;
  }
}

StepResult PairTrainer::tryStep(const Task& task) {
  StepResult result;
  result.step = position_ + 1;
  result.learningRate = learningRateAt(result.step);
  result.lossScale = scaler_.scale();
  for (int64_t i = 0; i < options_.gradientAccumulation; ++i) {
    task.checkCancelled();
    const at::Tensor loss = lossOfBatch() / static_cast<double>(options_.gradientAccumulation);
    result.loss += loss.item<double>();
    if (!std::isfinite(result.loss)) failNotFinite(result);
    RECORD_USER_SCOPE("train step: backward");
    (scaler_.enabled() ? loss * result.lossScale : loss).backward();
  }
  {
    RECORD_USER_SCOPE("train step: update");
    result.gradNorm = optimizer_->step(result.learningRate, result.lossScale);
  }
  const bool isFinite = std::isfinite(result.gradNorm);
  if (scaler_.enabled() ? !scaler_.update(!isFinite) : !isFinite) failNotFinite(result);
  result.skippedSteps = scaler_.skipped();
  position_ = result.step;
  return result;
}

void PairTrainer::failNotFinite(const StepResult& result) const {
  for (const auto& [name, tensor] : adapter_->parameters()) {
    if (allFinite(tensor)) continue;
    fail(kNonFiniteLoss, "The loss of step ", result.step, " is not finite: the adapter's ", name,
         " holds numbers that are not finite");
  }
  const std::string advice = result.step == 1
                                 ? ". At the first step the weights of the base are the likely cause, or float16 is "
                                   "too narrow for them: try another base file, or float32"
                                 : ". The last checkpoint is good: lower the learning rate, or train in float32";
  fail(kNonFiniteLoss, "The loss of step ", result.step, " is not finite (loss ", result.loss, ", gradient norm ",
       result.gradNorm, scaler_.enabled() ? c10::str(", loss scale ", result.lossScale) : "", ")", advice);
}

void PairTrainer::saveCheckpoint(const std::string& path, const io::Metadata& settings) const {
  TensorMap tensors;
  for (const auto& [name, tensor] : adapter_->parameters()) tensors["adapter/" + name] = tensor;
  for (const auto& [name, tensor] : optimizer_->state()) tensors["optimizer/" + name] = tensor;
  tensors["random_state"] = generatorState(generator_);
  order_.save(tensors);
  tensors["position"] = at::full({1}, position_, at::kLong);
  if (scaler_.enabled()) tensors["loss_scale"] = scaler_.state();
  io::writeSafetensors(path, tensors, settings);
}

void PairTrainer::copyParameters(const TensorMap& tensors, const std::string& prefix, const std::string& path) {
  const at::NoGradGuard noGrad;
  for (const auto& [name, parameter] : adapter_->parameters()) {
    const auto saved = tensors.find(prefix + name);
    if (saved == tensors.end()) fail(kCheckpointMismatch, path, " lacks ", prefix, name);
    if (saved->second.sizes() != parameter.sizes()) {
      fail(kCheckpointMismatch, path, ": expected shape ", parameter.sizes(), " for ", name, " but the file has ",
           saved->second.sizes());
    }
    at::Tensor(parameter).copy_(saved->second);
  }
}

void PairTrainer::loadFinished(const std::string& path, int64_t steps) {
  copyParameters(dual::readAdapterFile(path).tensors, "", path);
  position_ = steps;
}

void PairTrainer::loadCheckpoint(const std::string& path) {
  const io::SafetensorsFile file = io::readSafetensors(path);
  expectFiniteTensors(file.tensors, path);
  TensorMap optimizerState;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.rfind("optimizer/", 0) == 0) optimizerState[name.substr(10)] = tensor;
    if (name.rfind("adapter/", 0) == 0 && adapter_->parameters().count(name.substr(8)) == 0) {
      fail(kCheckpointMismatch, path, " has ", name, ", which this adapter does not have");
    }
  }
  RegionOrder order = order_;
  order.load(file.tensors, path);
  const int64_t position = takeCount(file.tensors, "position", std::numeric_limits<int64_t>::max(), path);
  const auto state = file.tensors.find("random_state");
  if (state == file.tensors.end() || state->second.scalar_type() != at::kByte) {
    fail(kWeightsInvalid, path, " is not a checkpoint: it lacks random_state");
  }
  if (scaler_.enabled()) {
    const auto scale = file.tensors.find("loss_scale");
    if (scale == file.tensors.end()) {
      fail(kCheckpointMismatch, path, " is of float16 without loss scaling, as version 0.1.0 trained. Remove it to ",
           "start afresh");
    }
    scaler_.loadState(scale->second, path);
  }
  copyParameters(file.tensors, "adapter/", path);
  optimizer_->loadState(optimizerState, path);
  setGeneratorState(generator_, state->second.clone());
  order_ = std::move(order);
  position_ = position;
}

}  // namespace dan::train
