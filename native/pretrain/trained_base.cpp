#include "pretrain/trained_base.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "dual/adapter_file.h"
#include "model/inpaint_condition.h"
#include "pretrain/recipe.h"

namespace dan::pretrain {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kRank = 8;  // This rank of the initial adapter suffices to separate the branches.
constexpr const char* kTextFile = "/text_encoder/model.safetensors";
constexpr const char* kUnetFile = "/unet/diffusion_pytorch_model.safetensors";
constexpr const char* kAdapterFile = "/initial_adapter.safetensors";

model::TextConfig ourTextConfig() {
  model::TextConfig config;
  config.hiddenSize = 16;  // The embedding of the vocabulary holds most of the parameters, so we keep it narrow.
  config.intermediateSize = 64;
  config.numLayers = 2;
  config.heads = 4;
  return config;
}

model::UnetConfig ourUnetConfig(const model::TextConfig& text) {
  model::UnetConfig config;
  config.inChannels = model::inpaintingChannels(config.outChannels);
  // The last level is wide because it has few tokens: it holds most of the parameters and takes little of the time.
  config.blockOutChannels = {48, 112, 224};
  config.layersPerBlock = 1;
  config.crossAttentionDim = text.hiddenSize;
  config.groups = 16;
  // Levels with many tokens have few heads, because on a CPU the softmax costs more than the products.
  config.heads = {1, 2, 4};
  config.depths = {1, 1, 1};
  config.downHasAttention = {true, true, false};
  config.upHasAttention = {false, true, true};
  return config;
}

nn::Weights startFrom(const std::string& start, const std::string& part, const nlohmann::json& config,
                      at::Generator generator) {
  const std::string file = start + part;
  const fs::path configFile = fs::path(file).parent_path() / "config.json";
  bool same = !start.empty() && fs::exists(configFile) && fs::exists(file);
  if (same) {
    std::ifstream stream(configFile);
    same = nlohmann::json::parse(stream) == config;
  }
  std::printf("%s %s\n", same ? "starting from" : "random weights: none of this configuration in", file.c_str());
  if (!same) return nn::Weights::random(std::move(generator));
  return nn::Weights::fromTensors(io::readSafetensors(file).tensors, file, at::kFloat);
}

// This is a fresh adapter except for SAIM, which adds nothing at first.
TensorMap silentAdapter(const dual::AdapterSettings& settings, const model::Unet& unet, const model::TextConfig& text,
                        at::Generator generator) {
  TensorMap tensors = dual::Adapter::initialTensors(settings, unet, text, std::move(generator));
  for (auto& [name, tensor] : tensors) {
    if (name.find(".saim.o.") != std::string::npos) tensor.zero_();
  }
  return tensors;
}

// Returns the tensors whose names begin with `prefix`, and removes it from their names.
TensorMap withPrefix(const TensorMap& tensors, const std::string& prefix) {
  TensorMap part;
  for (const auto& [name, tensor] : tensors) {
    if (name.rfind(prefix, 0) == 0) part[name.substr(prefix.size())] = tensor;
  }
  return part;
}

}  // namespace

diffusion::ScheduleConfig scheduleConfig() {
  diffusion::ScheduleConfig config;
  config.betaStart = 0.00085;
  config.betaEnd = 0.012;
  config.betaSchedule = "scaled_linear";
  return config;
}

TrainedBase::TrainedBase(const std::string& start, uint64_t seed)
    : textConfig_(ourTextConfig()), unetConfig_(ourUnetConfig(textConfig_)) {
  const nn::Weights text = startFrom(start, kTextFile, toJson(textConfig_), makeGenerator(seed, 1));
  const nn::Weights unet = startFrom(start, kUnetFile, toJson(unetConfig_), makeGenerator(seed, 2));
  const bool continued = unet.has("conv_in.weight") && fs::exists(start + kAdapterFile);
  textEncoder_ = std::make_unique<model::TextEncoder>(text, textConfig_);
  unet_ = std::make_unique<model::Unet>(unet, unetConfig_);
  const dual::AdapterSettings settings{kRank, dual::BackgroundMode::kOff, 1.0};
  TensorMap tensors = continued ? dual::readAdapterFile(start + kAdapterFile).tensors
                                : silentAdapter(settings, *unet_, textConfig_, makeGenerator(seed, 4));
  adapter_ = std::make_unique<dual::Adapter>(std::move(tensors), settings, *unet_, textConfig_, start + kAdapterFile);
  for (const auto& [name, tensor] : text.taken()) parameters_["text_encoder/" + name] = tensor;
  for (const auto& [name, tensor] : unet.taken()) parameters_["unet/" + name] = tensor;
  for (const auto& [name, tensor] : adapter_->parameters()) parameters_["adapter/" + name] = tensor;
  parameters_ = trainable(parameters_);
}

void TrainedBase::save(const std::string& folder, const TensorMap& values) const {
  for (const char* part : {"/text_encoder", "/unet"}) fs::create_directories(folder + part);
  saveHalf(folder + kTextFile, withPrefix(values, "text_encoder/"));
  saveHalf(folder + kUnetFile, withPrefix(values, "unet/"));
  std::ofstream(folder + "/text_encoder/config.json") << toJson(textConfig_).dump(2) << "\n";
  std::ofstream(folder + "/unet/config.json") << toJson(unetConfig_).dump(2) << "\n";
  saveHalf(folder + kAdapterFile, withPrefix(values, "adapter/"), dual::adapterMetadata(adapter_->settings(), {}));
}

}  // namespace dan::pretrain
