#include "model/base_parts.h"

#include <filesystem>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/input_file.h"
#include "io/weights_file.h"
#include "model/inpaint_condition.h"
#include "model/model_index.h"
#include "model/single_file.h"
#include "model/text_encoder.h"
#include "model/vae.h"

namespace dan::model {

namespace {

namespace fs = std::filesystem;

void requirePart(const std::string& folder, const char* part, const char* file) {
  const std::string path = folder + "/" + part + "/" + file;
  if (!fs::exists(path)) fail(kModelInvalid, "The base model ", folder, " lacks its ", part, ": there is no ", path);
}

// Weights may be split over several files. An index then names the file of each tensor.
PartWeights readShards(const std::string& folder, const std::string& indexPath) {
  const nlohmann::json index = readJsonFile(indexPath);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    fail(kModelInvalid, indexPath, ": expected an object with a weight_map");
  }
  Settings settings(index, indexPath);
  // "metadata" gives only the sizes of the files, and "weight_map" is read below.
  settings.harmless({"metadata", "weight_map"});
  settings.finish();
  PartWeights weights{{}, indexPath};
  std::map<std::string, TensorMap> shards;
  for (const auto& [name, file] : index["weight_map"].items()) {
    const std::string shard = file.is_string() ? file.get<std::string>() : "";
    // The name must not lead out of the folder of the index.
    if (shard.empty() || shard.find('/') != std::string::npos) {
      fail(kModelInvalid, indexPath, ": ", name, " is in ", file.dump(), ", which is no file name");
    }
    if (shards.count(shard) == 0) shards[shard] = io::readWeightsAsNamed(folder + "/" + shard).tensors;
    const auto found = shards[shard].find(name);
    if (found == shards[shard].end()) fail(kWeightsInvalid, folder, "/", shard, " lacks ", name);
    weights.tensors[name] = found->second;
  }
  weights.tensors = io::withoutWrappers(std::move(weights.tensors));
  return weights;
}

BaseParts readFolder(const std::string& folder) {
  for (const char* part : {"unet", "vae", "text_encoder"}) requirePart(folder, part, "config.json");
  requirePart(folder, "scheduler", "scheduler_config.json");
  requirePart(folder, "tokenizer", "");
  checkModelIndex(folder);
  BaseParts parts;
  parts.source = folder;
  parts.unet = readUnetConfig(folder + "/unet/config.json");
  parts.vae = readVaeConfig(folder + "/vae/config.json");
  parts.text = readTextConfig(folder + "/text_encoder/config.json");
  parts.schedulerSource = folder + "/scheduler/scheduler_config.json";
  parts.scheduler = readSettings(parts.schedulerSource).json();
  parts.tokenizerFolder = folder + "/tokenizer";
  parts.unetWeights = readPart(folder, "unet", {"diffusion_pytorch_model"});
  parts.vaeWeights = readPart(folder, "vae", {"diffusion_pytorch_model"});
  parts.vaeWeights.tensors = withCurrentVaeNames(std::move(parts.vaeWeights.tensors));
  parts.textWeights = readPart(folder, "text_encoder", {"model", "pytorch_model"});
  parts.textWeights.tensors = withCurrentTextNames(std::move(parts.textWeights.tensors));
  return parts;
}

void writeText(const std::string& path, const std::string& text) {
  io::AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

void writeJson(const std::string& path, const nlohmann::json& json) { writeText(path, json.dump(2) + "\n"); }

// Copies the tokenizer. If `padToken` is not empty, the settings of the copy name it.
void writeTokenizer(const BaseParts& parts, const std::string& folder) {
  for (const char* file : kTokenizerFiles) {
    const std::string path = parts.tokenizerFolder + "/" + file;
    const bool namesPad =
        file == std::string("special_tokens_map.json") || file == std::string("tokenizer_config.json");
    if (!parts.padToken.empty() && namesPad) {
      nlohmann::json settings = fs::exists(path) ? readJsonFile(path) : nlohmann::json::object();
      settings["pad_token"] = parts.padToken;
      writeJson(folder + "/" + file, settings);
    } else if (fs::exists(path)) {
      writeText(folder + "/" + file, io::readTextFile(path));
    }
  }
}

TensorMap inPrecision(const TensorMap& tensors, at::ScalarType dtype) {
  TensorMap converted;
  for (const auto& [name, tensor] : tensors) {
    converted[name] = tensor.is_floating_point() ? tensor.to(dtype) : tensor;
  }
  return converted;
}

}  // namespace

PartWeights readPart(const std::string& folder, const std::string& part, std::initializer_list<const char*> stems) {
  const std::string place = folder + "/" + part;
  std::string tried;
  for (const char* stem : stems) {
    for (const char* ending : {".safetensors", ".fp16.safetensors", ".bin", ".fp16.bin"}) {
      const std::string path = place + "/" + stem + ending;
      if (fs::exists(path)) return {io::readWeightsFile(path).tensors, path};
      if (tried.empty()) tried = path;
    }
    for (const char* ending : {".safetensors.index.json", ".safetensors.index.fp16.json",
                               ".fp16.safetensors.index.json", ".bin.index.json", ".bin.index.fp16.json"}) {
      const std::string path = place + "/" + stem + ending;
      if (fs::exists(path)) return readShards(place, path);
    }
  }
  fail(kModelInvalid, "The base model ", folder, " has no weights of its ", part, ": expected ", tried,
       " (or .fp16.safetensors, .bin, or shards with their .index.json)");
}

BaseParts readBaseParts(const BaseSource& source) {
  if (!fs::exists(source.path)) fail(kModelInvalid, "The base model ", source.path, " does not exist");
  const bool isFolder = fs::is_directory(source.path);
  if (isFolder && !source.configFolder.empty()) {
    fail(kInvalidOption, "Expected no folder of configs for the base ", source.path, " but received ",
         source.configFolder, ": a folder has its own, only a checkpoint file needs one");
  }
  BaseParts parts = isFolder ? readFolder(source.path) : readSingleFile(source);
  if (!source.predictionType.empty()) parts.scheduler["prediction_type"] = source.predictionType;
  if (parts.scheduler.value("_class_name", nlohmann::json()).is_null()) {
    parts.scheduler["_class_name"] = "PNDMScheduler";
  }
  parts.schedule = diffusion::parseScheduleConfig(parts.scheduler, parts.schedulerSource);
  parts.tokenizer = readTokenizerFiles(parts.tokenizerFolder);
  if (parts.unet.crossAttentionDim != parts.text.hiddenSize) {
    fail(kModelInvalid, "The parts of ", source.path,
         " do not belong together: the UNet expects text features of width ", parts.unet.crossAttentionDim,
         ", the text encoder gives ", parts.text.hiddenSize);
  }
  const int64_t latent = parts.vae.latentChannels, inpainting = inpaintingChannels(latent);
  const bool fits = parts.unet.inChannels == latent || parts.unet.inChannels == inpainting;
  if (!fits && parts.unet.inChannels > latent && parts.unet.outChannels == latent) {
    fail(kModelInvalid, source.path, " is neither a text-to-image model nor one for inpainting: its UNet takes ",
         parts.unet.inChannels, " channels instead of ", latent, " or ", inpainting,
         ", as models for depth (5) and editing (8) do. Use the text-to-image model that it came from");
  }
  if (!fits || parts.unet.outChannels != latent) {
    fail(kModelInvalid, "The parts of ", source.path, " do not belong together: the UNet has ", parts.unet.inChannels,
         " to ", parts.unet.outChannels, " channels, the autoencoder ", parts.vae.latentChannels);
  }
  return parts;
}

void writeBaseFolder(const BaseParts& parts, const std::string& folder, at::ScalarType dtype) {
  if (fs::exists(folder)) fail(kFileAccess, "Cannot write the base model ", folder, ": it exists already");
  std::string temporary;
  try {
    const fs::path parent = fs::path(folder).parent_path();
    if (!parent.empty()) fs::create_directories(parent);
    do temporary = io::temporaryName(folder);
    while (!fs::create_directory(temporary));
    for (const char* part : {"unet", "vae", "text_encoder", "scheduler", "tokenizer"})
      fs::create_directories(temporary + "/" + part);
    writeTokenizer(parts, temporary + "/tokenizer");
    writeJson(temporary + "/unet/config.json", toJson(parts.unet));
    writeJson(temporary + "/vae/config.json", toJson(parts.vae));
    writeJson(temporary + "/text_encoder/config.json", toJson(parts.text));
    nlohmann::json scheduler = parts.scheduler;
    if (scheduler.value("lambda_min_clipped", nlohmann::json()) == "-Infinity") {
      scheduler.erase("lambda_min_clipped");  // JSON cannot express this value, and it is the default.
    }
    writeJson(temporary + "/scheduler/scheduler_config.json", scheduler);
    const bool isInpainting = parts.unet.inChannels > parts.vae.latentChannels;
    const char* pipeline = isInpainting ? "StableDiffusionInpaintPipeline" : "StableDiffusionPipeline";
    writeJson(temporary + "/model_index.json", {{"_class_name", pipeline},
                                                {"feature_extractor", {nullptr, nullptr}},
                                                {"safety_checker", {nullptr, nullptr}},
                                                {"scheduler", {"diffusers", parts.scheduler.at("_class_name")}},
                                                {"text_encoder", {"transformers", "CLIPTextModel"}},
                                                {"tokenizer", {"transformers", "CLIPTokenizer"}},
                                                {"unet", {"diffusers", "UNet2DConditionModel"}},
                                                {"vae", {"diffusers", "AutoencoderKL"}}});
    const io::Metadata format = {{"format", "pt"}};
    io::writeSafetensors(temporary + "/unet/diffusion_pytorch_model.safetensors",
                         inPrecision(parts.unetWeights.tensors, dtype), format);
    io::writeSafetensors(temporary + "/vae/diffusion_pytorch_model.safetensors",
                         inPrecision(parts.vaeWeights.tensors, dtype), format);
    io::writeSafetensors(temporary + "/text_encoder/model.safetensors", inPrecision(parts.textWeights.tensors, dtype),
                         format);
    fs::rename(temporary, folder);
  } catch (const fs::filesystem_error& error) {
    fs::remove_all(temporary);
    fail(kFileAccess, "Cannot write the base model ", folder, ": ", error.code().message());
  } catch (...) {
    fs::remove_all(temporary);
    throw;
  }
}

}  // namespace dan::model
