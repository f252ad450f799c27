// These are the parts of a Stable Diffusion base as they are on disk, before any network is built. A base is a
// diffusers folder (whole or sharded files, any precision) or one checkpoint file in the original naming.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/tensor_map.h"
#include "diffusion/noise_schedule.h"
#include "model/config.h"
#include "model/tokenizer_files.h"

namespace dan::model {

struct BaseSource {
  std::string path;             // a folder or a file
  std::string configFolder;     // If empty, the configs of a checkpoint file follow from the shapes of its tensors.
  std::string tokenizerFolder;  // This is needed for a checkpoint file if configFolder has no tokenizer.
  std::string predictionType;   // "epsilon" or "v_prediction"; empty: the files decide
};

struct PartWeights {
  TensorMap tensors;  // The names are those of current diffusers.
  std::string source;
};

struct BaseParts {
  std::string source;
  UnetConfig unet;
  VaeConfig vae;
  TextConfig text;
  nlohmann::json scheduler;  // diffusers' scheduler_config.json
  std::string schedulerSource;
  diffusion::ScheduleConfig schedule;  // This is parsed from `scheduler`.
  std::string tokenizerFolder;
  TokenizerFiles tokenizer;  // This is read from tokenizerFolder.
  std::string padToken;      // It overrides the padding token of tokenizerFolder; empty: no override.
  PartWeights unetWeights, vaeWeights, textWeights;
};

// Throws ERR_MODEL_INVALID naming the part that `source` lacks, or ERR_WEIGHTS_INVALID for a damaged file.
BaseParts readBaseParts(const BaseSource& source);

// Reads the weights of one part of a diffusers folder from the first of diffusers' file names that exists.
PartWeights readPart(const std::string& folder, const std::string& part, std::initializer_list<const char*> stems);

// Writes a diffusers folder with configs, safetensors of `dtype` and the tokenizer. The folder must not exist; it
// appears only once it is complete.
void writeBaseFolder(const BaseParts& parts, const std::string& folder, at::ScalarType dtype);

}  // namespace dan::model
