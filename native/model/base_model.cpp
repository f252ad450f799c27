#include "model/base_model.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/random.h"
#include "io/weights_file.h"

namespace dan::model {

namespace {

namespace fs = std::filesystem;

struct LoadedWeights {
  TensorMap tensors;
  std::string path;
};

// The first of the names under which diffusers stores a part's weights.
LoadedWeights readPart(const std::string& folder, const char* part, std::initializer_list<const char*> stems) {
  std::string tried;
  for (const char* stem : stems) {
    for (const char* ending : {".safetensors", ".fp16.safetensors", ".bin", ".fp16.bin"}) {
      const std::string path = folder + "/" + part + "/" + stem + ending;
      if (fs::exists(path)) return {io::readWeightsFile(path).tensors, path};
      if (tried.empty()) tried = path;
    }
  }
  fail(kModelInvalid, "The base model ", folder, " has no weights of its ", part, ": expected ", tried,
       " (or .fp16.safetensors, .bin)");
}

void requirePart(const std::string& folder, const char* part, const char* file) {
  const std::string path = folder + "/" + part + "/" + file;
  if (!fs::exists(path)) fail(kModelInvalid, "The base model ", folder, " lacks its ", part, ": there is no ", path);
}

// FNV-1a over the UNet's first and last layer in half precision, which full and half files share.
std::string fingerprintOf(const TensorMap& unet) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char* name : {"conv_in.weight", "conv_out.weight"}) {
    const auto found = unet.find(name);
    if (found == unet.end()) continue;
    const at::Tensor half = found->second.to(at::kHalf).contiguous();
    const auto* bytes = static_cast<const uint8_t*>(half.data_ptr());
    for (size_t i = 0; i < half.nbytes(); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016lx", static_cast<unsigned long>(hash));
  return text;
}

template <class Model, class Config>
std::unique_ptr<Model> build(LoadedWeights loaded, const Config& config, at::ScalarType dtype, const at::Device& device,
                             std::initializer_list<std::string_view> ignoredEndings) {
  const nn::Weights weights = nn::Weights::fromTensors(std::move(loaded.tensors), loaded.path, dtype, device);
  auto model = std::make_unique<Model>(weights, config);
  weights.expectAllTaken(ignoredEndings);
  return model;
}

}  // namespace

int64_t BaseModel::resolutionMultiple() const {
  return vae->config().downscale() << (unet->config().blockOutChannels.size() - 1);
}

at::Tensor BaseModel::tokenize(const std::vector<std::string>& prompts) const {
  std::vector<at::Tensor> rows;
  for (const std::string& prompt : prompts) rows.push_back(at::tensor(tokenizer->encode(prompt), at::kLong));
  return at::stack(rows);
}

std::unique_ptr<BaseModel> loadBaseModel(const std::string& folder, const at::Device& device, at::ScalarType dtype) {
  if (!fs::is_directory(folder)) fail(kModelInvalid, "The base model folder ", folder, " does not exist");
  for (const char* part : {"unet", "vae", "text_encoder"}) requirePart(folder, part, "config.json");
  requirePart(folder, "scheduler", "scheduler_config.json");
  for (const char* file : {"vocab.json", "merges.txt"}) requirePart(folder, "tokenizer", file);

  auto base = std::make_unique<BaseModel>();
  base->folder = folder;
  const std::string schedulerPath = folder + "/scheduler/scheduler_config.json";
  const nlohmann::json scheduler = readJsonFile(schedulerPath);
  base->schedule = diffusion::parseScheduleConfig(scheduler, schedulerPath);
  base->schedulerName = scheduler.value("_class_name", "PNDMScheduler");

  const UnetConfig unet = readUnetConfig(folder + "/unet/config.json");
  const VaeConfig vae = readVaeConfig(folder + "/vae/config.json");
  const TextConfig text = readTextConfig(folder + "/text_encoder/config.json");
  if (unet.crossAttentionDim != text.hiddenSize) {
    fail(kModelInvalid, "The parts of ", folder, " do not belong together: the UNet expects text features of width ",
         unet.crossAttentionDim, ", the text encoder gives ", text.hiddenSize);
  }
  if (unet.inChannels != vae.latentChannels || unet.outChannels != vae.latentChannels) {
    fail(kModelInvalid, "The parts of ", folder, " do not belong together: the UNet has ", unet.inChannels, " to ",
         unet.outChannels, " channels, the autoencoder ", vae.latentChannels);
  }
  LoadedWeights unetWeights = readPart(folder, "unet", {"diffusion_pytorch_model"});
  base->fingerprint = fingerprintOf(unetWeights.tensors);
  base->unet = build<Unet>(std::move(unetWeights), unet, dtype, device, {});
  LoadedWeights vaeWeights = readPart(folder, "vae", {"diffusion_pytorch_model"});
  vaeWeights.tensors = withCurrentVaeNames(std::move(vaeWeights.tensors));
  base->vae = build<Vae>(std::move(vaeWeights), vae, at::kFloat, device, {});
  LoadedWeights textWeights = readPart(folder, "text_encoder", {"model", "pytorch_model"});
  textWeights.tensors = withCurrentTextNames(std::move(textWeights.tensors));
  base->textEncoder = build<TextEncoder>(std::move(textWeights), text, dtype == at::kHalf ? at::kFloat : dtype, device,
                                         {"position_ids", "text_projection.weight"});
  base->tokenizer = std::make_unique<ClipTokenizer>(folder + "/tokenizer", text.maxLength);
  return base;
}

std::unique_ptr<BaseModel> randomBaseModel(const at::Device& device, at::ScalarType dtype, uint64_t seed) {
  auto base = std::make_unique<BaseModel>();
  base->folder = "random weights";
  base->fingerprint = "random";
  base->schedulerName = "PNDMScheduler";
  base->schedule.betaStart = 0.00085;
  base->schedule.betaEnd = 0.012;
  base->schedule.betaSchedule = "scaled_linear";
  base->schedule.stepsOffset = 1;
  base->schedule.setAlphaToOne = false;
  base->unet = std::make_unique<Unet>(nn::Weights::random(makeGenerator(seed, 0), dtype, device), UnetConfig());
  base->vae = std::make_unique<Vae>(nn::Weights::random(makeGenerator(seed, 1), at::kFloat, device), VaeConfig());
  base->textEncoder =
      std::make_unique<TextEncoder>(nn::Weights::random(makeGenerator(seed, 2), dtype, device), TextConfig());
  return base;
}

}  // namespace dan::model
