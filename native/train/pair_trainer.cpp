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

// Returns weights (B * 2, 1, 1, 1) of mean 1 that restrict the loss to the global branch.
at::Tensor globalRows(int64_t pairs, at::Device device) {
  const at::Tensor both = at::zeros({pairs, dual::kNumBranches}, at::kFloat);
  both.select(1, dual::kGlobal).fill_(dual::kNumBranches);
  return both.view({-1, 1, 1, 1}).to(device);
}

}  // namespace

Branches parseBranches(const std::string& name) {
  if (name == "joint") return Branches::kJoint;
  if (name == "separate") return Branches::kSeparate;
  if (name == "one") return Branches::kGlobalAlone;
  fail(kInvalidOption, "Expected joint, separate or one for branches but received ", name);
}

at::Tensor defectWeights(const at::Tensor& defect, double share) {
  const at::Tensor area = defect.mean({1, 2, 3}, true);
  // If a picture is all defect or has none, its weights are uniform.
  const at::Tensor inside = area.clamp_min(share), none = area * (1 - area) == 0;
  const at::Tensor weights = defect * inside / area + (1 - defect) * (1 - inside) / (1 - area);
  return at::where(none, at::ones_like(defect), weights);
}

PairLoss pairLoss(const dual::DualUnet& unet, const diffusion::NoiseSchedule& schedule, const at::Tensor& latents,
                  const at::Tensor& noise, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                  const dual::BackgroundFeatures* background, const at::Tensor& weights) {
  const at::Tensor shared = timesteps.repeat_interleave(dual::kNumBranches);
  const at::Tensor noisy = schedule.addNoise(latents, noise, shared);
  const at::Tensor prediction = unet.forward(noisy, shared, encoderHiddenStates, background);
  const at::Tensor target = schedule.target(latents, noise, shared);
  if (!weights.defined()) return {at::mse_loss(prediction.to(at::kFloat), target.to(at::kFloat)), prediction, noisy};
  const at::Tensor error = at::mse_loss(prediction.to(at::kFloat), target.to(at::kFloat), at::Reduction::None);
  return {(error * weights).mean(), prediction, noisy};
}

PairTrainer::PairTrainer(const model::BaseModel& base, PairLatents latents, TrainOptions options)
    : base_(base),
      latents_(std::move(latents)),
      options_(std::move(options)),
      schedule_(base.schedule),
      inputIds_(base.tokenize({options_.globalPrompt, options_.anomalyPrompt})),
      scaler_(base.unet->dtype() == at::kHalf),
      generator_(makeGenerator(options_.seed, 1)) {
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
  adapter_ =
      std::make_unique<dual::Adapter>(start, settings, *base.unet, text, initial.empty() ? "a fresh adapter" : initial);
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

// Every image is used once before any image is used again.
at::Tensor PairTrainer::nextIndices() {
  std::vector<int64_t> indices;
  while (static_cast<int64_t>(indices.size()) < options_.batchSize) {
    if (!order_.defined() || cursor_ == order_.size(0)) {
      order_ = at::randperm(latents_.count(), generator_, at::TensorOptions().dtype(at::kLong));
      cursor_ = 0;
    }
    indices.push_back(order_[cursor_++].item<int64_t>());
  }
  return at::tensor(indices, at::kLong);
}

at::Tensor PairTrainer::lossOfBatch() {
  RECORD_USER_SCOPE("train step: forward");
  const int64_t pairs = options_.batchSize;
  const auto whole = at::TensorOptions().dtype(at::kLong);
  const at::Tensor index = nextIndices();
  const at::Tensor variant = at::randint(latents_.variants(), {pairs}, generator_, whole);
  const at::Tensor latents = latents_.draw(index, variant, generator_);
  const at::Tensor noise = randn(latents.sizes(), generator_).to(latents.device());
  const at::Tensor share = at::rand({pairs}, generator_, at::TensorOptions().dtype(at::kDouble));
  const at::Tensor timesteps =
      at::floor(share.pow(1 / options_.timestepPower) * base_.schedule.numTrainTimesteps).to(at::kLong);
  // There are only two different prompts, so we encode two, whatever the batch size.
  const at::Tensor encoded = base_.textEncoder->forward(inputIds_, adapter_->textHook()).repeat({pairs, 1, 1});
  at::Tensor weights;
  if (options_.defectLossShare > 0) {
    weights = defectWeights(latents_.defect(index, variant), options_.defectLossShare)
                  .repeat_interleave(dual::kNumBranches, 0);
  }
  if (options_.branches == Branches::kGlobalAlone) {
    const at::Tensor rows = globalRows(pairs, latents.device());
    weights = weights.defined() ? weights * rows : rows;
  }
  const nn::GradientCheckpointing checkpointing(options_.gradientCheckpointing);
  const dual::DualUnet unet(*base_.unet, *adapter_);
  dual::BackgroundFeatures features;
  if (options_.background != dual::BackgroundMode::kOff) {
    const at::Tensor background = latents_.drawBackground(index, variant, options_.backgroundScaled, generator_);
    const at::Tensor backgroundNoise = randn(background.sizes(), generator_).to(background.device());
    features = unet.backgroundFeatures(schedule_.addNoise(background, backgroundNoise, timesteps), timesteps,
                                       dual::unpackBranches(encoded).select(1, dual::kGlobal));
  }
  return pairLoss(unet, schedule_, latents, noise, timesteps, encoded, features.empty() ? nullptr : &features, weights)
      .loss;
}

at::Tensor PairTrainer::firstBackground() const {
  if (options_.background == dual::BackgroundMode::kOff) return {};
  const at::Tensor first = at::zeros({1}, at::kLong);
  return latents_.drawBackground(first, first, options_.backgroundScaled, makeGenerator(options_.seed, 2));
}

dual::AdapterFile PairTrainer::trainedAdapter(io::Metadata metadata) const {
  dual::setLatentMeans(metadata, latents_.latentMeans());
  return dual::copyOf(*adapter_, std::move(metadata), "The adapter in training");
}

double PairTrainer::learningRateAt(int64_t step) const {
  if (step > options_.warmupSteps) return options_.learningRate;
  return options_.learningRate * static_cast<double>(step) / static_cast<double>(options_.warmupSteps);
}

StepResult PairTrainer::step(const Task& task) {
  RECORD_USER_SCOPE("train step");
  const at::Tensor generatorBefore = generatorState(generator_);
  // Keeping the tensor is enough, because nothing writes to it; an epoch makes a new one.
  const at::Tensor orderBefore = order_;
  const int64_t cursorBefore = cursor_;
  try {
    return tryStep(task);
  } catch (...) {
    optimizer_->clearGradients();
    setGeneratorState(generator_, generatorBefore);
    order_ = orderBefore;
    cursor_ = cursorBefore;
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
  tensors["order"] = order_.defined() ? order_ : at::empty({0}, at::kLong);
  tensors["cursor"] = at::full({1}, cursor_, at::kLong);
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
  expectFinite(file.tensors, path);
  TensorMap optimizerState;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.rfind("optimizer/", 0) == 0) optimizerState[name.substr(10)] = tensor;
    if (name.rfind("adapter/", 0) == 0 && adapter_->parameters().count(name.substr(8)) == 0) {
      fail(kCheckpointMismatch, path, " has ", name, ", which this adapter does not have");
    }
  }
  const at::Tensor order = takeOrder(file.tensors, "order", latents_.count(), path);
  const int64_t cursor = takeCount(file.tensors, "cursor", order.defined() ? order.size(0) : 0, path);
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
  order_ = order;
  cursor_ = cursor;
  position_ = position;
}

}  // namespace dan::train
