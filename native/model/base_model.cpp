#include "model/base_model.h"

#include <ATen/core/grad_mode.h>

#include "core/device.h"
#include "core/error.h"
#include "core/random.h"
#include "model/base_fingerprint.h"
#include "ops/cpu/kernels.h"

namespace dan::model {

namespace {

template <class Model, class Config>
std::unique_ptr<Model> build(PartWeights loaded, const Config& config, at::ScalarType dtype, const at::Device& device,
                             std::initializer_list<std::string_view> ignoredEndings) {
  const nn::Weights weights =
      nn::Weights::fromTensors(std::move(loaded.tensors), loaded.source, dtype, device, nn::Held::kAsStored);
  auto model = std::make_unique<Model>(weights, config);
  weights.expectAllTaken(ignoredEndings);
  return model;
}

}  // namespace

int64_t BaseModel::resolutionMultiple() const {
  return vae->config().downscale() << (unet->config().blockOutChannels.size() - 1);
}

at::Tensor BaseModel::plainLatents(double value, int64_t height, int64_t width) const {
  const at::NoGradGuard noGrad;
  const at::Tensor image = at::full({1, 3, height, width}, value, at::TensorOptions().device(device()));
  return vae->encode(image).mean * vae->config().scalingFactor;
}

at::Tensor BaseModel::tokenize(const std::vector<std::string>& prompts) const {
  std::vector<at::Tensor> rows;
  for (const std::string& prompt : prompts) rows.push_back(at::tensor(tokenizer->encode(prompt), at::kLong));
  return at::stack(rows);
}

std::unique_ptr<BaseModel> loadBaseModel(const std::string& folder, const at::Device& device, at::ScalarType dtype) {
  BaseOptions options;
  options.source.path = folder;
  return loadBaseModel(options, device, dtype);
}

at::ScalarType suitedDtype(const UnetConfig& unet, const at::Device& device, bool cpuComputesInBFloat16) {
  constexpr int64_t kWide = 256;  // Stable Diffusion's narrowest layers have 320 channels.
  if (!device.is_cpu()) return parseDtype("auto", device);
  return cpuComputesInBFloat16 && unet.blockOutChannels.front() >= kWide ? at::kBFloat16 : at::kFloat;
}

std::unique_ptr<BaseModel> loadBaseModel(const BaseOptions& options, const at::Device& device,
                                         std::optional<at::ScalarType> chosen) {
  BaseParts parts = readBaseParts(options.source);
  const at::ScalarType dtype = chosen.value_or(suitedDtype(parts.unet, device, ops::cpu::computesInBFloat16()));
  auto base = std::make_unique<BaseModel>();
  base->folder = parts.source;
  base->legacyFingerprint = legacyFingerprintOf(parts.unetWeights.tensors, options.loras);
  for (const LoraFile& lora : options.loras) mergeLora(parts, lora);
  base->fingerprint = fingerprintOf(parts.unetWeights.tensors, parts.textWeights.tensors);
  base->schedule = parts.schedule;
  base->schedulerName = parts.scheduler.at("_class_name");
  base->unet = build<Unet>(std::move(parts.unetWeights), parts.unet, dtype, device, {});
  base->vae = build<Vae>(std::move(parts.vaeWeights), parts.vae, at::kFloat, device, {});
  base->textEncoder =
      build<TextEncoder>(std::move(parts.textWeights), parts.text, dtype == at::kHalf ? at::kFloat : dtype, device,
                         {"position_ids", "text_projection.weight"});
  base->tokenizer = std::make_unique<ClipTokenizer>(parts.tokenizer, parts.text.maxLength, parts.padToken);
  if (base->tokenizer->largestId() >= parts.text.vocabSize) {
    fail(kModelInvalid, "The parts of ", parts.source, " do not belong together: the tokenizer ", parts.tokenizerFolder,
         " has ids up to ", base->tokenizer->largestId(), ", the text encoder ", parts.text.vocabSize, " embeddings");
  }
  if (!options.taesd.empty()) {
    base->taesd = std::make_unique<Taesd>(options.taesd, device);
    if (base->taesd->upscale() != parts.vae.downscale() || base->taesd->latentChannels() != parts.vae.latentChannels) {
      fail(kModelInvalid, options.taesd, " does not belong to the base model ", parts.source, ": it makes ",
           base->taesd->upscale(), " pixels of a latent of ", base->taesd->latentChannels(), " channels, the base ",
           parts.vae.downscale(), " of ", parts.vae.latentChannels);
    }
  }
  return base;
}

std::unique_ptr<BaseModel> randomBaseModel(const at::Device& device, at::ScalarType dtype, at::ScalarType storedAs,
                                           uint64_t seed) {
  const auto draw = [&](uint64_t stream, at::ScalarType precision) {
    return nn::Weights::random(makeGenerator(seed, stream), precision, device, storedAs);
  };
  auto base = std::make_unique<BaseModel>();
  base->folder = "random weights";
  base->fingerprint = base->legacyFingerprint = "random";
  base->schedulerName = "PNDMScheduler";
  base->schedule.betaStart = 0.00085;
  base->schedule.betaEnd = 0.012;
  base->schedule.betaSchedule = "scaled_linear";
  base->schedule.stepsOffset = 1;
  base->schedule.setAlphaToOne = false;
  base->unet = std::make_unique<Unet>(draw(0, dtype), UnetConfig());
  base->vae = std::make_unique<Vae>(draw(1, at::kFloat), VaeConfig());
  base->textEncoder = std::make_unique<TextEncoder>(draw(2, dtype), TextConfig());
  return base;
}

}  // namespace dan::model
