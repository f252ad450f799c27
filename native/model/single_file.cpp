#include "model/single_file.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "io/weights_file.h"
#include "model/file_notes.h"
#include "model/original_names.h"

namespace dan::model {

namespace {

constexpr const char* kOpenClipPadding = "!";  // token 0
constexpr int64_t kOriginalGroups = 32;
constexpr int64_t kClipHeadWidth = 64;

// Infers sizes from tensors. The error names a missing tensor.
class Sizes {
 public:
  Sizes(const TensorMap& tensors, const std::string& path) : tensors_(tensors), path_(path) {}
  bool has(const std::string& name) const { return tensors_.count(name) > 0; }
  int64_t of(const std::string& name, int64_t dim) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end() || found->second.dim() <= dim) {
      fail(kModelInvalid, path_, " is not a Stable Diffusion 1.x or 2.x checkpoint: it lacks ", name,
           " (in diffusers' naming)");
    }
    return found->second.size(dim);
  }
  // Returns the number of consecutive tensors prefix0suffix, prefix1suffix, …
  int64_t count(const std::string& prefix, const std::string& suffix) const {
    int64_t number = 0;
    while (has(prefix + std::to_string(number) + suffix)) ++number;
    return number;
  }

 private:
  const TensorMap& tensors_;
  const std::string& path_;
};

void expectGroups(int64_t channels, const std::string& path) {
  if (channels % kOriginalGroups == 0) return;
  fail(kModelInvalid, path, " has a level of ", channels,
       " channels, which the original code cannot have: give the folder that its configs are in");
}

UnetConfig unetConfigOf(const TensorMap& tensors, const std::string& path) {
  const Sizes sizes(tensors, path);
  UnetConfig config;
  config.inChannels = sizes.of("conv_in.weight", 1);
  config.outChannels = sizes.of("conv_out.weight", 0);
  const int64_t levels = sizes.count("down_blocks.", ".resnets.0.conv1.weight");
  config.layersPerBlock = sizes.count("down_blocks.0.resnets.", ".conv1.weight");
  const std::string middle = "mid_block.attentions.0.";
  config.crossAttentionDim = sizes.of(middle + "transformer_blocks.0.attn2.to_k.weight", 1);
  config.linearProjection = tensors.at(middle + "proj_in.weight").dim() == 2;
  config.groups = kOriginalGroups;
  config.blockOutChannels.clear();
  for (auto* list : {&config.heads, &config.depths}) list->clear();
  for (auto* list : {&config.downHasAttention, &config.upHasAttention}) list->clear();
  for (int64_t i = 0; i < levels; ++i) {
    const std::string down = "down_blocks." + std::to_string(i) + ".", up = "up_blocks." + std::to_string(i) + ".";
    const int64_t channels = sizes.of(down + "resnets.0.conv1.weight", 0);
    config.blockOutChannels.push_back(channels);
    // 1.x has eight heads in every layer; 2.x has heads of 64 channels.
    config.heads.push_back(config.linearProjection ? std::max<int64_t>(channels / kClipHeadWidth, 1) : 8);
    config.downHasAttention.push_back(sizes.has(down + "attentions.0.proj_in.weight"));
    config.upHasAttention.push_back(sizes.has(up + "attentions.0.proj_in.weight"));
    const std::string blocks =
        (config.downHasAttention.back() ? down + "attentions.0." : middle) + "transformer_blocks.";
    config.depths.push_back(sizes.count(blocks, ".norm1.weight"));
    expectGroups(channels, path);
  }
  return config;
}

VaeConfig vaeConfigOf(const TensorMap& tensors, const std::string& path) {
  const Sizes sizes(tensors, path);
  VaeConfig config;
  config.latentChannels = sizes.of("post_quant_conv.weight", 0);
  config.inChannels = sizes.of("encoder.conv_in.weight", 1);
  config.outChannels = sizes.of("decoder.conv_out.weight", 0);
  config.layersPerBlock = sizes.count("encoder.down_blocks.0.resnets.", ".conv1.weight");
  config.blockOutChannels.clear();
  const int64_t levels = sizes.count("encoder.down_blocks.", ".resnets.0.conv1.weight");
  for (int64_t i = 0; i < levels; ++i) {
    config.blockOutChannels.push_back(
        sizes.of("encoder.down_blocks." + std::to_string(i) + ".resnets.0.conv1.weight", 0));
    expectGroups(config.blockOutChannels.back(), path);
  }
  return config;
}

TextConfig textConfigOf(const TensorMap& tensors, bool isOpenClip, const std::string& path) {
  const Sizes sizes(tensors, path);
  TextConfig config;
  const std::string embeddings = "text_model.embeddings.";
  config.vocabSize = sizes.of(embeddings + "token_embedding.weight", 0);
  config.hiddenSize = sizes.of(embeddings + "token_embedding.weight", 1);
  config.maxLength = sizes.of(embeddings + "position_embedding.weight", 0);
  config.intermediateSize = sizes.of("text_model.encoder.layers.0.mlp.fc1.weight", 0);
  config.numLayers = sizes.count("text_model.encoder.layers.", ".layer_norm1.weight");
  config.heads = std::max<int64_t>(config.hiddenSize / kClipHeadWidth, 1);
  config.quickGelu = !isOpenClip;
  return config;
}

// Some checkpoints contain the schedule that they were trained with.
void expectSchedule(const BaseParts& parts, const TensorMap& file) {
  const auto found = file.find("alphas_cumprod");
  if (found == file.end()) return;
  const diffusion::NoiseSchedule schedule(diffusion::parseScheduleConfig(parts.scheduler, parts.schedulerSource));
  const at::Tensor expected = at::tensor(schedule.alphasCumprod(), at::kDouble);
  const at::Tensor own = found->second.flatten().to(at::kDouble);
  constexpr double kTolerance = 0.01;  // Some merges store the schedule in bfloat16.
  if (own.sizes() == expected.sizes() && at::allclose(own, expected, kTolerance, 0)) return;
  fail(kModelInvalid, parts.source, ": its alphas_cumprod are not those of ",
       parts.schedulerSource == parts.source ? "the published schedule: give the folder of its configs"
                                             : parts.schedulerSource);
}

// Every published 1.x and 2.x model uses this schedule.
nlohmann::json publishedSchedule(const std::string& predictionType) {
  return {{"_class_name", "PNDMScheduler"},   {"beta_start", 0.00085},       {"beta_end", 0.012},
          {"beta_schedule", "scaled_linear"}, {"num_train_timesteps", 1000}, {"set_alpha_to_one", false},
          {"skip_prk_steps", true},           {"steps_offset", 1},           {"clip_sample", false},
          {"prediction_type", predictionType}};
}

}  // namespace

BaseParts readSingleFile(const BaseSource& source) {
  namespace fs = std::filesystem;
  const std::string &path = source.path, &configs = source.configFolder;
  // The file may contain a second UNet, the moving average of the training. We do not load it.
  const auto isWanted = [](const std::string& name) { return name.find("model_ema.") == std::string::npos; };
  const io::SafetensorsFile whole = io::readWeightsFile(path, isWanted);
  const TensorMap& file = whole.tensors;
  for (const auto& [prefix, what] : {std::pair{kOriginalUnet, "UNet"}, std::pair{kOriginalVae, "autoencoder"},
                                     std::pair{kOriginalText, "text encoder"}}) {
    if (below(file, prefix).empty()) {
      const bool isXl = !below(file, "conditioner.embedders.").empty();
      fail(kModelInvalid, path, " is not a Stable Diffusion 1.x or 2.x checkpoint: it has no ", what, " (no tensor ",
           prefix, "…)", isXl ? "; it looks like Stable Diffusion XL, which the method is not made for" : "");
    }
  }
  const bool isOpenClip = !below(file, kOriginalOpenClip).empty();
  BaseParts parts;
  parts.source = path;
  parts.unetWeights = {unetFromOriginal(file), path};
  parts.vaeWeights = {vaeFromOriginal(file), path};
  parts.textWeights = {textFromOriginal(file), path};
  const auto config = [&](const char* name) { return configs + "/" + name + "/config.json"; };
  parts.unet = configs.empty() ? unetConfigOf(parts.unetWeights.tensors, path) : readUnetConfig(config("unet"));
  parts.vae = configs.empty() ? vaeConfigOf(parts.vaeWeights.tensors, path) : readVaeConfig(config("vae"));
  parts.text = configs.empty() ? textConfigOf(parts.textWeights.tensors, isOpenClip, path)
                               : readTextConfig(config("text_encoder"));
  const std::string said = predictionTypeOf(whole, path);
  const std::string scheduler = configs + "/scheduler/scheduler_config.json";
  if (!configs.empty() && fs::exists(scheduler)) {
    Settings settings = readSettings(scheduler);
    parts.scheduler = settings.json();
    parts.schedulerSource = scheduler;
    const std::string configured = settings.text("prediction_type", said);
    if (source.predictionType.empty() && !said.empty() && configured != said) {
      fail(kModelInvalid, path, " says that it predicts ", said, ", but ", scheduler, " says ", configured,
           ": give the prediction type");
    }
    if (!configured.empty()) parts.scheduler["prediction_type"] = configured;
  } else {
    const std::string predicted = source.predictionType.empty() ? said : source.predictionType;
    if (isOpenClip && predicted.empty()) {
      fail(kModelInvalid, path,
           " is a Stable Diffusion 2.x checkpoint, whose tensors do not say what it predicts: give the prediction type "
           "(v_prediction for the 768-pixel models, epsilon for the 512-pixel base)");
    }
    parts.scheduler = publishedSchedule(predicted.empty() ? "epsilon" : predicted);
    parts.schedulerSource = path;
  }
  expectSchedule(parts, file);
  const std::string tokenizer = configs + "/tokenizer";
  if (!configs.empty() && fs::exists(tokenizer)) {
    parts.tokenizerFolder = tokenizer;
  } else {
    parts.tokenizerFolder = source.tokenizerFolder;
    if (isOpenClip) parts.padToken = kOpenClipPadding;
  }
  return parts;
}

}  // namespace dan::model
