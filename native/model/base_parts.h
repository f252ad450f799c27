// The parts of a Stable Diffusion base as they are on disk, before any network is built: a diffusers folder (whole or
// sharded files, any precision) or one checkpoint file in the original naming.
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
  std::string configFolder;     // for a file: where configs come from instead of its tensors' shapes; may be empty
  std::string tokenizerFolder;  // for a file whose configFolder has no tokenizer
  std::string predictionType;   // "epsilon", "v_prediction", or empty for what the files say
};

struct PartWeights {
  TensorMap tensors;  // under the names that diffusers gives them today
  std::string source;
};

struct BaseParts {
  std::string source;
  UnetConfig unet;
  VaeConfig vae;
  TextConfig text;
  nlohmann::json scheduler;  // diffusers' scheduler_config.json
  std::string schedulerSource;
  diffusion::ScheduleConfig schedule;  // what it says
  std::string tokenizerFolder;
  TokenizerFiles tokenizer;  // what is in it
  std::string padToken;      // what pads prompts, where it is not what the tokenizer's folder says
  PartWeights unetWeights, vaeWeights, textWeights;
};

// Throws ERR_MODEL_INVALID naming what `source` lacks, ERR_WEIGHTS_INVALID for a damaged file.
BaseParts readBaseParts(const BaseSource& source);

// One part's weights below a diffusers folder: the first of the names under which diffusers stores them.
PartWeights readPart(const std::string& folder, const std::string& part, std::initializer_list<const char*> stems);

// The parts as a diffusers folder, which must not exist: configs, safetensors of `dtype`, tokenizer. Whole or not at
// all.
void writeBaseFolder(const BaseParts& parts, const std::string& folder, at::ScalarType dtype);

}  // namespace dan::model
