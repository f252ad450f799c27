#include "model/single_file.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "io/weights_file.h"
#include "model/text_encoder.h"
#include "model/vae.h"

namespace dan::model {

namespace {

using Words = std::vector<std::string>;

constexpr const char* kUnetPrefix = "model.diffusion_model.";
constexpr const char* kVaePrefix = "first_stage_model.";
constexpr const char* kClipPrefix = "cond_stage_model.transformer.";
constexpr const char* kOpenClipPrefix = "cond_stage_model.model.";
// OpenCLIP ViT-H has 24 layers; Stable Diffusion 2 takes the features before the last.
constexpr int64_t kOpenClipLayersUsed = 23;
constexpr const char* kOpenClipPadding = "!";  // token 0
constexpr int64_t kOriginalGroups = 32;
constexpr int64_t kClipHeadWidth = 64;

TensorMap below(const TensorMap& file, const std::string& prefix) {
  TensorMap tensors;
  for (auto it = file.lower_bound(prefix); it != file.end() && it->first.rfind(prefix, 0) == 0; ++it) {
    tensors[it->first.substr(prefix.size())] = it->second;
  }
  return tensors;
}

Words split(const std::string& name) {
  Words words;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    words.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string join(const Words& words, size_t from) {
  std::string text;
  for (size_t i = from; i < words.size(); ++i) text += (i == from ? "" : ".") + words[i];
  return text;
}

bool isNumber(const std::string& word) {
  return !word.empty() && word.size() < 6 &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string replaced(std::string text, std::initializer_list<std::pair<const char*, const char*>> renames) {
  for (const auto& [from, to] : renames) {
    const std::string_view old(from);
    if (text.compare(0, old.size(), old) == 0) return to + text.substr(old.size());
  }
  return text;
}

std::string resnetName(const std::string& rest) {
  return replaced(rest, {{"in_layers.0.", "norm1."},
                         {"in_layers.2.", "conv1."},
                         {"emb_layers.1.", "time_emb_proj."},
                         {"out_layers.0.", "norm2."},
                         {"out_layers.3.", "conv2."},
                         {"skip_connection.", "conv_shortcut."}});
}

// How many residual blocks a level has: the original numbers blocks through, with a downsampler after each level.
int64_t layersPerLevel(const TensorMap& unet) {
  int64_t blocks = 0;
  while (unet.count("input_blocks." + std::to_string(blocks + 1) + ".0.in_layers.0.weight") > 0) ++blocks;
  return std::max<int64_t>(blocks, 1);
}

std::string unetName(const std::string& name, int64_t layers) {
  const Words words = split(name);
  const bool isBlock = words.size() > 3 && isNumber(words[1]);
  const int64_t index = isBlock ? std::stoll(words[1]) : 0;
  if (isBlock && words[0] == "input_blocks" && index > 0) {
    const std::string block = "down_blocks." + std::to_string((index - 1) / (layers + 1)) + ".";
    const std::string layer = std::to_string((index - 1) % (layers + 1)) + ".";
    if (words[2] == "1") return block + "attentions." + layer + join(words, 3);
    if (words[3] == "op") return block + "downsamplers.0.conv." + join(words, 4);
    return block + "resnets." + layer + resnetName(join(words, 3));
  }
  if (isBlock && words[0] == "output_blocks") {
    const std::string block = "up_blocks." + std::to_string(index / (layers + 1)) + ".";
    const std::string layer = std::to_string(index % (layers + 1)) + ".";
    if (words[3] == "conv") return block + "upsamplers.0.conv." + join(words, 4);
    if (words[2] == "1") return block + "attentions." + layer + join(words, 3);
    return block + "resnets." + layer + resnetName(join(words, 3));
  }
  if (words[0] == "middle_block" && words.size() > 2) {
    if (words[1] == "1") return "mid_block.attentions.0." + join(words, 2);
    return std::string("mid_block.resnets.") + (words[1] == "0" ? "0." : "1.") + resnetName(join(words, 2));
  }
  return replaced(name, {{"time_embed.0.", "time_embedding.linear_1."},
                         {"time_embed.2.", "time_embedding.linear_2."},
                         {"input_blocks.0.0.", "conv_in."},
                         {"out.0.", "conv_norm_out."},
                         {"out.2.", "conv_out."}});
}

std::string vaeResnetName(const Words& words, size_t from) {
  return replaced(join(words, from), {{"nin_shortcut.", "conv_shortcut."}});
}

std::string vaeName(const std::string& name, int64_t levels) {
  const Words words = split(name);
  if (words.size() < 3 || (words[0] != "encoder" && words[0] != "decoder")) return name;
  const std::string side = words[0] + ".";
  if (words[1] == "mid" && words.size() > 3) {
    if (words[2] == "attn_1") {
      return side + "mid_block.attentions.0." +
             replaced(join(words, 3), {{"norm.", "group_norm."},
                                       {"q.", "to_q."},
                                       {"k.", "to_k."},
                                       {"v.", "to_v."},
                                       {"proj_out.", "to_out.0."}});
    }
    return side + "mid_block.resnets." + (words[2] == "block_1" ? "0." : "1.") + vaeResnetName(words, 3);
  }
  if ((words[1] == "down" || words[1] == "up") && words.size() > 4 && isNumber(words[2])) {
    const bool isDown = words[1] == "down";
    const int64_t level = std::stoll(words[2]);
    const std::string block =
        side + (isDown ? "down_blocks." : "up_blocks.") + std::to_string(isDown ? level : levels - 1 - level) + ".";
    if (words[3] == "block") return block + "resnets." + words[4] + "." + vaeResnetName(words, 5);
    return block + (isDown ? "downsamplers.0." : "upsamplers.0.") + join(words, 4);
  }
  return side + replaced(join(words, 1), {{"norm_out.", "conv_norm_out."}});
}

std::string openClipLayerName(const std::string& rest) {
  return replaced(rest, {{"ln_1.", "layer_norm1."},
                         {"ln_2.", "layer_norm2."},
                         {"mlp.c_fc.", "mlp.fc1."},
                         {"mlp.c_proj.", "mlp.fc2."},
                         {"attn.out_proj.", "self_attn.out_proj."}});
}

TensorMap textFromOpenClip(const TensorMap& file) {
  TensorMap text;
  for (const auto& [name, tensor] : file) {
    const Words words = split(name);
    if (words[0] != "transformer") {
      const std::string renamed =
          replaced(name, {{"token_embedding.", "text_model.embeddings.token_embedding."},
                          {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
                          {"ln_final.", "text_model.final_layer_norm."}});
      if (renamed != name) text[renamed] = tensor;  // the rest serves images: projection, logit scale
      continue;
    }
    if (words.size() < 5 || !isNumber(words[2]) || std::stoll(words[2]) >= kOpenClipLayersUsed) continue;
    const std::string layer = "text_model.encoder.layers." + words[2] + ".";
    if (words[3] == "attn" && words[4].rfind("in_proj_", 0) == 0) {
      const auto thirds = tensor.chunk(3, 0);
      const char* const projections[] = {"q", "k", "v"};
      for (size_t i = 0; i < thirds.size(); ++i) {
        text[layer + "self_attn." + projections[i] + "_proj." + words[4].substr(8)] = thirds[i];
      }
      continue;
    }
    text[layer + openClipLayerName(join(words, 3))] = tensor;
  }
  return text;
}

// Reads sizes off tensors; a tensor that is missing makes the file one that needs configs.
class Sizes {
 public:
  Sizes(const TensorMap& tensors, const std::string& path) : tensors_(tensors), path_(path) {}
  bool has(const std::string& name) const { return tensors_.count(name) > 0; }
  int64_t of(const std::string& name, int64_t dim) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end() || found->second.dim() <= dim) {
      fail(kModelInvalid, path_, " is not a Stable Diffusion checkpoint that can be told by its tensors: it lacks ",
           name, " (in diffusers' naming)");
    }
    return found->second.size(dim);
  }
  // How many of prefix0suffix, prefix1suffix, … there are.
  int64_t count(const std::string& prefix, const std::string& suffix) const {
    int64_t number = 0;
    while (has(prefix + std::to_string(number) + suffix)) ++number;
    return number;
  }

 private:
  const TensorMap& tensors_;
  const std::string& path_;
};

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
    // 1.x has eight heads in every layer, 2.x heads of 64 channels.
    config.heads.push_back(config.linearProjection ? std::max<int64_t>(channels / kClipHeadWidth, 1) : 8);
    config.downHasAttention.push_back(sizes.has(down + "attentions.0.proj_in.weight"));
    config.upHasAttention.push_back(sizes.has(up + "attentions.0.proj_in.weight"));
    const std::string blocks =
        (config.downHasAttention.back() ? down + "attentions.0." : middle) + "transformer_blocks.";
    config.depths.push_back(sizes.count(blocks, ".norm1.weight"));
    if (channels % kOriginalGroups != 0) {
      fail(kModelInvalid, path, " has a level of ", channels,
           " channels, which the original code cannot have: give the folder that its configs are in");
    }
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

// The schedule of every published 1.x and 2.x model.
nlohmann::json publishedSchedule(const std::string& predictionType) {
  return {{"_class_name", "PNDMScheduler"},   {"beta_start", 0.00085},       {"beta_end", 0.012},
          {"beta_schedule", "scaled_linear"}, {"num_train_timesteps", 1000}, {"set_alpha_to_one", false},
          {"skip_prk_steps", true},           {"steps_offset", 1},           {"clip_sample", false},
          {"prediction_type", predictionType}};
}

}  // namespace

TensorMap unetFromOriginal(const TensorMap& file) {
  const TensorMap unet = below(file, kUnetPrefix);
  const int64_t layers = layersPerLevel(unet);
  TensorMap renamed;
  for (const auto& [name, tensor] : unet) renamed[unetName(name, layers)] = tensor;
  return renamed;
}

TensorMap vaeFromOriginal(const TensorMap& file) {
  const TensorMap vae = below(file, kVaePrefix);
  int64_t levels = 0;
  while (vae.count("decoder.up." + std::to_string(levels) + ".block.0.conv1.weight") > 0) ++levels;
  TensorMap renamed;
  for (const auto& [name, tensor] : vae) renamed[vaeName(name, levels)] = tensor;
  return withCurrentVaeNames(std::move(renamed));
}

TensorMap textFromOriginal(const TensorMap& file) {
  const TensorMap openClip = below(file, kOpenClipPrefix);
  return openClip.empty() ? withCurrentTextNames(below(file, kClipPrefix)) : textFromOpenClip(openClip);
}

BaseParts readSingleFile(const BaseSource& source) {
  namespace fs = std::filesystem;
  const std::string &path = source.path, &configs = source.configFolder;
  const TensorMap file = io::readWeightsFile(path).tensors;
  for (const auto& [prefix, what] : {std::pair{kUnetPrefix, "UNet"}, std::pair{kVaePrefix, "autoencoder"},
                                     std::pair{"cond_stage_model.", "text encoder"}}) {
    if (below(file, prefix).empty()) {
      const bool isXl = !below(file, "conditioner.embedders.").empty();
      fail(kModelInvalid, path, " is not a Stable Diffusion 1.x or 2.x checkpoint: it has no ", what, " (no tensor ",
           prefix, "…)", isXl ? "; it looks like Stable Diffusion XL, which the method is not made for" : "");
    }
  }
  const bool isOpenClip = !below(file, kOpenClipPrefix).empty();
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
  const std::string scheduler = configs + "/scheduler/scheduler_config.json";
  if (!configs.empty() && fs::exists(scheduler)) {
    parts.scheduler = readJsonFile(scheduler);
    parts.schedulerSource = scheduler;
  } else {
    if (isOpenClip && source.predictionType.empty()) {
      fail(kModelInvalid, path,
           " is a Stable Diffusion 2.x checkpoint, whose tensors do not say what it predicts: give the prediction type "
           "(v_prediction for the 768-pixel models, epsilon for the 512-pixel base)");
    }
    parts.scheduler = publishedSchedule(source.predictionType.empty() ? "epsilon" : source.predictionType);
    parts.schedulerSource = path;
  }
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
