// These are the configuration files of a diffusers folder, as far as Stable Diffusion 1.x and 2.x use them.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "model/json_file.h"

namespace dan::model {

struct UnetConfig {
  int64_t inChannels = 4, outChannels = 4, layersPerBlock = 2, crossAttentionDim = 768, groups = 32;
  double normEps = 1e-5, freqShift = 0;
  bool flipSinToCos = true, linearProjection = false;
  std::vector<int64_t> blockOutChannels = {320, 640, 1280, 1280};
  std::vector<int64_t> heads = {8, 8, 8, 8};   // per level; the file calls it "attention_head_dim" (a known misnomer)
  std::vector<int64_t> depths = {1, 1, 1, 1};  // transformer blocks per level
  std::vector<bool> downHasAttention = {true, true, true, false};
  std::vector<bool> upHasAttention = {false, true, true, true};
};

struct VaeConfig {
  int64_t inChannels = 3, outChannels = 3, latentChannels = 4, layersPerBlock = 2, groups = 32;
  double scalingFactor = 0.18215;
  std::vector<int64_t> blockOutChannels = {128, 256, 512, 512};
  // Returns the number of pixels per latent along each side.
  int64_t downscale() const { return int64_t{1} << (blockOutChannels.size() - 1); }
};

struct TextConfig {
  int64_t vocabSize = 49408, hiddenSize = 768, intermediateSize = 3072, numLayers = 12, heads = 12, maxLength = 77;
  double layerNormEps = 1e-5;
  bool quickGelu = true;
};

// Each function reads `path`. It throws ERR_MODEL_INVALID naming the file, the key and its value if a setting is
// missing, has another type, is unknown, or asks for something that the engine does not implement.
UnetConfig readUnetConfig(const std::string& path);
VaeConfig readVaeConfig(const std::string& path);
TextConfig readTextConfig(const std::string& path);

// The pretraining recipe writes these objects. The readers above accept them.
nlohmann::json toJson(const UnetConfig& config);
nlohmann::json toJson(const VaeConfig& config);
nlohmann::json toJson(const TextConfig& config);

}  // namespace dan::model
